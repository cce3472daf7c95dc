"""Closes months: charges what is left to charge, expires unused credit, and writes the statements.

Some hundred accounts at a time, each batch in one transaction and a handful of queries, under the lock of those who
charge: so a closing is safe to run again, beside another one, and after being killed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import Account
from billing.errors import MonthNotOver
from billing.ledger import charges_lock, closing_credit_grant, entries_add, month_charge
from billing.line_copying import lines_copy
from billing.lines import price_days
from billing.models import EntryKind, LedgerEntry, Statement
from billing.month_bills import MonthBill, month_bills
from billing.month_usage import month_sums
from billing.pricing import PriceOn
from billing.selectors import price_book
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month

BATCH_ACCOUNTS = 500


@dataclass(frozen=True, slots=True)
class _Closing:
    """What is the same for all accounts of a closing."""

    month: Month
    prices: list[PriceOn]
    is_dry: bool


def month_close(
    *, month: Month, now: datetime, account: Account | None = None, is_dry: bool = False
) -> Iterator[Statement | None]:
    """Writes the statements of `month` and yields each (None: it was there, or somebody else was quicker).

    An account's statement, its charges and the expiry of its credit are one transaction, with those of its batch.
    Where `is_dry`, each batch is written and taken back. Raises MonthNotOver while the month still runs.
    """
    if now < month.bounds(settings.BILLING_ZONE)[1]:
        raise MonthNotOver(f"{month} is not over yet in {settings.BILLING_TIME_ZONE}.")
    closing = _Closing(month, price_book(), is_dry)
    accounts = accounts_to_close(month, account)
    for start in range(0, len(accounts), BATCH_ACCOUNTS):
        yield from _close_batch(accounts[start : start + BATCH_ACCOUNTS], closing)


def accounts_to_close(month: Month, account: Account | None = None) -> list[Account]:
    """The accounts (or just `account`) that existed in `month`; of all accounts, those without its statement."""
    end = month.bounds(settings.BILLING_ZONE)[1]
    if account is not None:
        return [account] if account.created_at < end else []
    accounts = Account.objects.filter(created_at__lt=end).exclude(statements__period_on=month.first_day)
    return list(accounts.select_related("plan", "next_plan").order_by("id"))


@transaction.atomic
def _close_batch(accounts: Sequence[Account], closing: _Closing) -> list[Statement | None]:
    # Whoever holds the lock is alone in charging and closing; what others have closed is seen after it.
    charges_lock()
    month = closing.month
    closed = set(
        Statement.objects.filter(account__in=accounts, period_on=month.first_day).values_list("account_id", flat=True)
    )
    still_open = [account for account in accounts if account.pk not in closed]
    closing_credit_grant(month=month, accounts=still_open)
    bills = _charged_bills(still_open, closing)
    written = _write_statements(bills, month)
    _expire_credit(bills, month)
    transaction.set_rollback(closing.is_dry)
    return [written.get(account.pk) for account in accounts]


def _charged_bills(accounts: Sequence[Account], closing: _Closing) -> list[MonthBill]:
    """Charges the month's usage and returns the accounts' bills, both by one look at the sums: so lines say what the
    ledger says. What is rolled up after it is late usage, as it is after the closing.
    """
    month, ids = closing.month, [account.pk for account in accounts]
    sums = month_sums(month, price_days(month, closing.prices), ids)
    month_charge(month=month, account_ids=ids, days=sums.days)
    return month_bills(month, ids, parts=sums.parts, prices=closing.prices)


def _write_statements(bills: Sequence[MonthBill], month: Month) -> dict[int, Statement]:
    """The new statements by account id."""
    now = utc_now()
    statements = Statement.objects.bulk_create(
        Statement(
            account_id=bill.account_id,
            period_on=month.first_day,
            number=f"{month}-{bill.account_id:06d}",
            gross_micro_usd=bill.money.charged_micro_usd,
            credit_micro_usd=bill.money.credit_used_micro_usd,
            net_micro_usd=bill.money.paid_micro_usd,
            closed_at=now,
        )
        for bill in bills
    )
    lines_copy((statement.pk, bill.lines) for statement, bill in zip(statements, bills, strict=True))
    return {statement.account_id: statement for statement in statements}


def _expire_credit(bills: Sequence[MonthBill], month: Month) -> None:
    """What is unused ends. No gate is told: unused credit of a month that is over was no money before either."""
    entries_add(
        LedgerEntry(
            account_id=bill.account_id,
            period_on=month.first_day,
            kind=EntryKind.EXPIRED_CREDIT,
            amount_micro_usd=-bill.money.credit_unused_micro_usd,
        )
        for bill in bills
        if bill.money.credit_unused_micro_usd
    )
