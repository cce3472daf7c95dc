"""Lays out what the billing pages list: services beside their prices, and one page of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator

from accounts.models import Account
from billing.models import EntryKind, LedgerEntry, Price
from billing.selectors import ServiceSpend, ledger_of
from keys.models import Service

ENTRIES_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class BillLine:
    """What a service used in a month, and its price of today: None where it has none and is free."""

    spend: ServiceSpend
    price: Price | None


def bill_lines(spends: Iterable[ServiceSpend], prices: Iterable[Price]) -> list[BillLine]:
    """A line for every service that used units or money, in the order of `spends`. What is free is left out."""
    by_service = {price.service_id: price for price in prices}
    return [
        BillLine(spend, by_service.get(spend.service.pk)) for spend in spends if spend.units or spend.cost_micro_usd
    ]


def has_sample(prices: Sequence[Price]) -> bool:
    return any(price.is_sample for price in prices)


def ledger_page(account: Account, number: str | None, kind: EntryKind | None = None) -> Page[LedgerEntry]:
    """A page of the account's ledger, newest first: the first one for nonsense, the last one past the end."""
    entries = ledger_of(account)
    return Paginator(entries.filter(kind=kind) if kind else entries, ENTRIES_PER_PAGE).get_page(number)


def entry_kind(text: str | None) -> EntryKind | None:
    """The kind of that name; None, for all of them, where there is none such."""
    return EntryKind(text) if text in EntryKind.values else None


@dataclass(frozen=True, slots=True)
class PriceStep:
    """A tier of a price: its first unit and its last (None: no end), numbered from 1 through a month."""

    first: int
    last: int | None
    price_micro_usd: int


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A service's price of today with its tiers."""

    service: Service
    steps: list[PriceStep]
    is_sample: bool


def price_rows(prices: Iterable[Price]) -> list[PriceRow]:
    """`prices` have their tiers with them."""
    return [PriceRow(price.service, _steps(price), price.is_sample) for price in prices]


def _steps(price: Price) -> list[PriceStep]:
    tiers = [(0, price.price_micro_usd), *((tier.from_units, tier.price_micro_usd) for tier in price.tiers.all())]
    ends = [*(start for start, _ in tiers[1:]), None]
    return [PriceStep(start + 1, end, micro_usd) for (start, micro_usd), end in zip(tiers, ends, strict=True)]
