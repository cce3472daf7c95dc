"""What a month's usage would have cost under other prices: the same units in the same days, priced anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from accounts.models import Account
from billing.lines import LineKind, UsedUnits, bill, price_days
from billing.month_usage import month_usage
from billing.pricing import PriceOn
from billing.selectors import price_book
from goongdash.lib.periods import Month


@dataclass(frozen=True, slots=True)
class Repriced:
    """One account's month, in micro-dollars: what the gates charged, and what its units cost by the other prices."""

    account_id: int
    charged_micro_usd: int
    repriced_micro_usd: int

    @property
    def difference_micro_usd(self) -> int:
        return self.repriced_micro_usd - self.charged_micro_usd


def repriced(month: Month, account_id: int, used: Sequence[UsedUnits], prices: Iterable[PriceOn]) -> Repriced:
    """Pure: `used` is parted at `price_days(month, prices)`."""
    charged = sum(part.cost_micro_usd for part in used)
    lines = bill(month, used, prices, usage_micro_usd=charged, late={}, credit_micro_usd=0)
    priced = sum(line.amount_micro_usd for line in lines if line.kind is LineKind.USAGE)
    return Repriced(account_id, charged, priced)


def month_repriced(
    month: Month, *, prices: Sequence[PriceOn] | None = None, account: Account | None = None
) -> Iterator[Repriced]:
    """Every account (or `account`) that used something in `month`, by `prices` or by the price book as it is now.

    Reads sums by service and price, of which there are few for each account: one query.
    """
    prices = price_book() if prices is None else prices
    account_ids = None if account is None else [account.pk]
    rows = month_usage(month, price_days(month, prices), account_ids)
    for account_id, of_account in groupby(rows, key=lambda row: row[0]):
        yield repriced(month, account_id, [used for _, used in of_account], prices)
