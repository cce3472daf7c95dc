"""The lines of a month's bill: by service, price and tier, then what no price explains, then late usage. Pure.

What the gates charged is what counts; prices only say how it comes about. Where both differ (a request priced before
a correction, units that arrived late and stand elsewhere in the month's volume), a line of its own says by how much.
So the lines of a month always add up to what its ledger says, to the micro-dollar.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType

from billing.pricing import PriceOn, Tier, Tiers, prices_by_service
from goongdash.lib.periods import Month

_FREE = Tiers.flat(0)


class LineKind(StrEnum):
    USAGE = "usage"
    DIFFERENCE = "difference"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class UsedUnits:
    """What an account used of a service from `first_on` on, at one price list, and what the gates charged for it."""

    service_id: int | None
    first_on: date
    units: int
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class Line:
    """`first_on` to `last_on` are the days whose usage it is of. `credit` is what free credit paid of `amount`."""

    kind: LineKind
    service_id: int | None
    first_on: date
    last_on: date
    from_units: int
    unit_price_micro_usd: int | None
    units: int
    amount_micro_usd: int
    credit_micro_usd: int = 0

    @property
    def net_micro_usd(self) -> int:
        return self.amount_micro_usd - self.credit_micro_usd


def price_days(month: Month, prices: Iterable[PriceOn]) -> list[date]:
    """The days of `month` from which on some price is another one, and its first day: where its usage is parted."""
    inside = {price.effective_on for price in prices if month.first_day < price.effective_on <= month.last_day}
    return [month.first_day, *sorted(inside)]


def bill(
    month: Month,
    used: Iterable[UsedUnits],
    prices: Iterable[PriceOn],
    *,
    usage_micro_usd: int,
    late: Mapping[date, int],
    credit_micro_usd: int,
    order: Mapping[int, int] = MappingProxyType({}),
) -> list[Line]:
    """All lines of one account's month, whose amounts sum up to `usage_micro_usd` and the `late` ones.

    `used` is parted at `price_days`; `late` has micro-dollars by the first day of the closed month they are of;
    `credit_micro_usd` is how much of all of it free credit paid, and pays the lines in their order; `order` is where
    each service stands.
    """
    of_services, lines = prices_by_service(prices), list[Line]()
    parts = sorted(used, key=lambda part: (*_place(part.service_id, order), part.first_on))
    for service_id, of_service in groupby(parts, key=lambda part: part.service_id):
        lines += _service_lines(month, service_id, list(of_service), of_services.get(service_id or 0, ()))
    rest = usage_micro_usd - sum(line.amount_micro_usd for line in lines)
    if rest:
        lines.append(_difference(month, None, rest))
    for first_on, amount in sorted(late.items()):
        last_on = Month.of(first_on).last_day
        lines.append(Line(LineKind.LATE, None, first_on, last_on, 0, None, 0, amount))
    return _with_credit(lines, credit_micro_usd)


def _place(service_id: int | None, order: Mapping[int, int]) -> tuple[bool, int, int]:
    """Services by their order, and last what was none."""
    return service_id is None, order.get(service_id or 0, 0), service_id or 0


def _service_lines(
    month: Month, service_id: int | None, parts: Sequence[UsedUnits], prices: Sequence[PriceOn]
) -> list[Line]:
    """A line for each tier of each of the service's `prices` that units fell into; before the first, units are free."""
    units_in, before = dict[tuple[date, Tier], int](), 0
    for part in parts:
        book = next((price for price in reversed(prices) if price.effective_on <= part.first_on), None)
        tiers = _FREE if book is None else book.tiers
        since = month.first_day if book is None else max(month.first_day, book.effective_on)
        for priced in tiers.split(before, before + part.units):
            place = (since, priced.tier)
            units_in[place] = units_in.get(place, 0) + priced.units
        before += part.units
    lines = [
        Line(
            LineKind.USAGE,
            service_id,
            since,
            _last_day(month, since, prices),
            tier.from_units,
            tier.price_micro_usd,
            units,
            units * tier.price_micro_usd,
        )
        for (since, tier), units in units_in.items()
    ]
    charged = sum(part.cost_micro_usd for part in parts)
    difference = charged - sum(line.amount_micro_usd for line in lines)
    return [*lines, _difference(month, service_id, difference)] if difference else lines


def _last_day(month: Month, since: date, prices: Sequence[PriceOn]) -> date:
    """The day before the next of the service's `prices`, or the month's last."""
    later = next((price.effective_on for price in prices if price.effective_on > since), month.next.first_day)
    return min(later, month.next.first_day) - timedelta(days=1)


def _difference(month: Month, service_id: int | None, amount: int) -> Line:
    return Line(LineKind.DIFFERENCE, service_id, month.first_day, month.last_day, 0, None, 0, amount)


def _with_credit(lines: Iterable[Line], credit_micro_usd: int) -> list[Line]:
    paid, left = list[Line](), credit_micro_usd
    for line in lines:
        credit = max(0, min(left, line.amount_micro_usd))
        left -= credit
        paid.append(replace(line, credit_micro_usd=credit) if credit else line)
    return paid
