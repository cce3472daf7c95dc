"""Lays out what the billing pages list: services beside their prices, and one page of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator

from accounts.models import Account
from billing.models import LedgerEntry, Price
from billing.selectors import ServiceSpend, ledger_of

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


def ledger_page(account: Account, number: str | None) -> Page[LedgerEntry]:
    """A page of the account's ledger, newest first: the first one for nonsense, the last one past the end."""
    return Paginator(ledger_of(account), ENTRIES_PER_PAGE).get_page(number)
