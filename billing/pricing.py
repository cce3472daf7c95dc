"""What units of a service cost: prices by day, and by tiers of an account's volume in a month. Pure.

A price is a whole number of micro-dollars for each unit, so that no cost is ever rounded: cost = Σ units × price.
Units are numbered through a month of the installation's zone, from 0, for each account and service. Which tier a
unit is in depends on its number alone; which price book holds, on its day. So a price that changes in mid-month
splits the month, and volume keeps counting through it: on the 16th the tiers of the new price begin where the
month's volume stands, not at 0. Within a day the order of requests changes no total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Tier:
    """From unit number `from_units` of a month on, each costs `price_micro_usd`."""

    from_units: int
    price_micro_usd: int


@dataclass(frozen=True, slots=True)
class TierUnits:
    """`units` of one price that fell into one tier, and what they cost."""

    tier: Tier
    units: int

    @property
    def cost_micro_usd(self) -> int:
        return self.units * self.tier.price_micro_usd


@dataclass(frozen=True, slots=True)
class Tiers:
    """A price with its tiers, ascending; the first begins at 0. Free units are a first tier of price 0."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        starts = [tier.from_units for tier in self.tiers]
        if not starts or starts[0] != 0 or any(later <= earlier for earlier, later in pairwise(starts)):
            raise ValueError("Tiers ascend from 0.")

    @classmethod
    def flat(cls, price_micro_usd: int) -> Tiers:
        return cls((Tier(0, price_micro_usd),))

    @property
    def is_flat(self) -> bool:
        """Whether volume makes no difference."""
        return len(self.tiers) == 1

    def cost(self, start: int, stop: int) -> int:
        """Micro-dollars of the units numbered from `start` to before `stop`."""
        return sum(part.cost_micro_usd for part in self.split(start, stop))

    def split(self, start: int, stop: int) -> Iterator[TierUnits]:
        """The units numbered from `start` to before `stop` by tiers; those with none of them are left out."""
        ends = (*(tier.from_units for tier in self.tiers[1:]), stop)
        for tier, end in zip(self.tiers, ends, strict=True):
            units = min(stop, end) - max(start, tier.from_units)
            if units > 0:
                yield TierUnits(tier, units)


@dataclass(frozen=True, slots=True)
class PriceOn:
    """A service's price per unit from `effective_on` on; `more` are the tiers beyond its first, which begins at 0."""

    service_id: int
    effective_on: date
    price_micro_usd: int
    more: tuple[Tier, ...] = ()

    @property
    def tiers(self) -> Tiers:
        return Tiers((Tier(0, self.price_micro_usd), *self.more))


@dataclass(frozen=True, slots=True)
class PricedUnits:
    """Units of a month that one tier of one price holds for: a line of a statement."""

    effective_on: date
    tier: Tier
    units: int

    @property
    def cost_micro_usd(self) -> int:
        return self.units * self.tier.price_micro_usd


def books_on(day: date, prices: Iterable[PriceOn]) -> dict[int, PriceOn]:
    """The price in force on `day` by service id; a service without a price yet is missing (it is free)."""
    newest: dict[int, PriceOn] = {}
    for price in prices:
        known = newest.get(price.service_id)
        if price.effective_on <= day and (known is None or price.effective_on > known.effective_on):
            newest[price.service_id] = price
    return newest


def prices_by_service(prices: Iterable[PriceOn]) -> dict[int, list[PriceOn]]:
    """The prices by service id, each service's in order of their days."""
    by_service: dict[int, list[PriceOn]] = {}
    for price in sorted(prices, key=lambda price: price.effective_on):
        by_service.setdefault(price.service_id, []).append(price)
    return by_service


def prices_on(day: date, prices: Iterable[PriceOn]) -> dict[int, int]:
    """Micro-dollars for the first unit of a month by service id on `day`; for every unit where there are no tiers."""
    return {service_id: price.price_micro_usd for service_id, price in books_on(day, prices).items()}


def next_prices(day: date, prices: Iterable[PriceOn]) -> dict[int, PriceOn]:
    """The first price that begins after `day` by service id, where there is one."""
    soonest: dict[int, PriceOn] = {}
    for price in prices:
        known = soonest.get(price.service_id)
        if price.effective_on > day and (known is None or price.effective_on < known.effective_on):
            soonest[price.service_id] = price
    return soonest


def month_lines(
    service_id: int, units_by_day: Iterable[tuple[date, int]], prices: Iterable[PriceOn]
) -> list[PricedUnits]:
    """What the units of one account's month cost: `units_by_day` of one service and month, ascending by day.

    A line for each price and tier, in their order. Days before the first price are free and on no line.
    """
    prices, lines, before = list(prices), dict[tuple[date, Tier], int](), 0
    for day, units in units_by_day:
        if (book := books_on(day, prices).get(service_id)) is not None:
            for part in book.tiers.split(before, before + units):
                place = (book.effective_on, part.tier)
                lines[place] = lines.get(place, 0) + part.units
        before += units
    return [PricedUnits(effective_on, tier, units) for (effective_on, tier), units in lines.items()]
