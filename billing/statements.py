"""Closes months: charges what is left to charge, expires unused credit, and writes the statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import Account
from billing.credit import MonthMoney
from billing.errors import MonthNotOver
from billing.ledger import entry_post, monthly_credit_grant, usage_charge, usage_charged
from billing.models import EntryKind, Statement, StatementLine
from billing.selectors import ServiceSpend, months_money, spend_by_service
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month

CHARGE_TRIES = 10


def month_close(*, month: Month, now: datetime, account: Account | None = None) -> Iterator[Statement | None]:
    """Writes the statements of `month`, an account at a time, and yields each (None: somebody else was quicker).

    Safe to run again, at the same time, or after being killed: an account's statement, its charges and the
    expiry of its credit are one transaction. Raises MonthNotOver while the month still runs.
    """
    if now < month.bounds(settings.BILLING_ZONE)[1]:
        raise MonthNotOver(f"{month} is not over yet in {settings.BILLING_TIME_ZONE}.")
    for each in accounts_to_close(month, account):
        yield _close_account(each, month)


def accounts_to_close(month: Month, account: Account | None = None) -> list[Account]:
    """The accounts (or just `account`) that existed in `month`; of all accounts, those without its statement."""
    end = month.bounds(settings.BILLING_ZONE)[1]
    if account is not None:
        return [account] if account.created_at < end else []
    accounts = Account.objects.filter(created_at__lt=end).exclude(statements__period_on=month.first_day)
    return list(accounts.select_related("plan", "next_plan").order_by("id"))


def _close_account(account: Account, month: Month) -> Statement | None:
    try:
        with transaction.atomic():
            if Statement.objects.filter(account=account, period_on=month.first_day).exists():
                return None
            monthly_credit_grant(month=month, accounts=[account])
            return _write_statement(account, month, _charge(account, month))
    except IntegrityError:
        # Somebody else closed it between our look and our write; theirs stands.
        if Statement.objects.filter(account=account, period_on=month.first_day).exists():
            return None
        raise


def _charge(account: Account, month: Month) -> list[ServiceSpend]:
    """Charges the month's usage and returns it by service.

    Again, where a rollup added something between the charge and our look: the lines are to say what the ledger
    says. Sums that no charge accounts for are for `verify_usage` to find, not for the closing to wait for.
    """
    for _ in range(CHARGE_TRIES):
        usage_charge(before=month.next.first_day, account=account)
        spends = spend_by_service(account, month)
        if sum(spend.cost_micro_usd for spend in spends) == usage_charged(account, month):
            break
    return spends


def _write_statement(account: Account, month: Month, spends: list[ServiceSpend]) -> Statement:
    money = months_money(account).get(month, MonthMoney())
    money = replace(money, usage_micro_usd=usage_charged(account, month))
    statement = Statement.objects.create(
        account=account,
        period_on=month.first_day,
        number=f"{month}-{account.pk:06d}",
        gross_micro_usd=money.charged_micro_usd,
        credit_micro_usd=money.credit_used_micro_usd,
        net_micro_usd=money.paid_micro_usd,
        closed_at=utc_now(),
    )
    StatementLine.objects.bulk_create(
        StatementLine(
            statement=statement,
            service=spend.service,
            units=spend.units,
            amount_micro_usd=spend.cost_micro_usd,
        )
        for spend in spends
        if spend.units or spend.cost_micro_usd
    )
    if money.credit_unused_micro_usd:
        entry_post(
            account=account,
            month=month,
            kind=EntryKind.EXPIRED_CREDIT,
            amount_micro_usd=-money.credit_unused_micro_usd,
        )
    return statement
