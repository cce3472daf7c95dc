"""Which price holds on which day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PriceOn:
    """A service's price per unit from `effective_on` on."""

    service_id: int
    effective_on: date
    price_micro_usd: int


def prices_on(day: date, prices: Iterable[PriceOn]) -> dict[int, int]:
    """Micro-dollars per unit by service id on `day`; a service without a price yet is missing (it is free)."""
    newest: dict[int, PriceOn] = {}
    for price in prices:
        known = newest.get(price.service_id)
        if price.effective_on <= day and (known is None or price.effective_on > known.effective_on):
            newest[price.service_id] = price
    return {service_id: price.price_micro_usd for service_id, price in newest.items()}
