"""Reads what each month of an account has of credit, lasting money and usage: what every balance is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from accounts.models import Account, CreditPeriod
from billing.credit import MonthMoney, open_stretches
from billing.models import EntryKind, LedgerEntry, Statement
from goongdash.lib.periods import Month, day_of

# Laterally, so that each stretch is read along the index of the sums; days are cut into months when they are summed up.
_USED_BY_MONTH = """
    SELECT account_id, date_trunc('month', used.day_on)::date, sum(used.cost)::bigint
    FROM unnest(%s::bigint[], %s::date[], %s::date[]) AS stretch (account_id, since, before),
         LATERAL (
             SELECT day_on, sum(cost_micro_usd) AS cost FROM stats_dailyusage AS u
             WHERE u.account_id = stretch.account_id AND u.day_on >= since AND u.day_on < before GROUP BY 1
         ) AS used
    GROUP BY 1, 2 ORDER BY 1, 2
"""
# The source of the ledger entry for credit that a plan gives once.
SIGN_UP = "sign-up"


class UsedInMonth(NamedTuple):
    """What an account has used of a month by its daily sums."""

    account_id: int
    month: Month
    cost_micro_usd: int


def months_money(account: Account) -> dict[Month, MonthMoney]:
    """Credit, lasting money and usage of every month in which the account has any.

    Usage of a closed month is what its statement charged, and what came later is the late usage of the month
    that was open then. A month that is not closed has its credit from its first instant, granted or not yet.
    """
    return months_money_of([account])[account.pk]


def months_money_of(
    accounts: Collection[Account], known: Iterable[UsedInMonth] = ()
) -> dict[int, dict[Month, MonthMoney]]:
    """The same of many accounts, by account id, in as many queries as for one.

    `known` is what the caller has read of the sums already, of months that are not closed.
    """
    closed = _closed_months(accounts)
    sums: defaultdict[int, defaultdict[Month, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for used in _used_by_month(closed, list(known)):
        sums[used.account_id][used.month]["usage_micro_usd"] = used.cost_micro_usd
    for account_id, month, kind, amount in _ledger_by_month(accounts):
        sum_ = sums[account_id][month]
        if kind == EntryKind.MONTHLY_CREDIT:
            sum_["credit_micro_usd"] = amount
        elif kind == EntryKind.LATE_USAGE:
            sum_["late_micro_usd"] = -amount
        elif kind != EntryKind.USAGE:
            sum_["money_micro_usd"] = sum_.get("money_micro_usd", 0) + amount
        elif month in closed[account_id]:
            sum_["usage_micro_usd"] = -amount
    for account in _with_sign_up_credit_due(accounts):
        first = sums[account.pk][sign_up_month(account)]
        first["money_micro_usd"] = first.get("money_micro_usd", 0) + account.plan.credit_micro_usd
    return {account.pk: _with_credits_due(account, sums[account.pk], closed[account.pk]) for account in accounts}


def _closed_months(accounts: Collection[Account]) -> dict[int, set[Month]]:
    closed: dict[int, set[Month]] = {account.pk: set() for account in accounts}
    for account_id, period_on in Statement.objects.filter(account__in=accounts).values_list("account_id", "period_on"):
        closed[account_id].add(Month.of(period_on))
    return closed


def _used_by_month(closed: Mapping[int, Collection[Month]], known: Sequence[UsedInMonth]) -> Iterator[UsedInMonth]:
    """Usage of the months that are not closed; of the others, however many years, no sum is read."""
    yield from known
    done = {account_id: set(months) for account_id, months in closed.items()}
    for used in known:
        done[used.account_id].add(used.month)
    stretches = [(account_id, *stretch) for account_id, months in done.items() for stretch in open_stretches(months)]
    if not stretches:
        return
    with connection.cursor() as cursor:
        cursor.execute(_USED_BY_MONTH, [list(column) for column in zip(*stretches, strict=True)])
        rows = cursor.fetchall()
    for account_id, month_on, cost in rows:
        yield UsedInMonth(account_id, Month.of(month_on), cost)


def _ledger_by_month(accounts: Collection[Account]) -> Iterator[tuple[int, Month, str, int]]:
    """Sums by month and kind; expired credit left out: what is unused is no money, with or without the entry."""
    rows = (
        LedgerEntry.objects.filter(account__in=accounts)
        .exclude(kind=EntryKind.EXPIRED_CREDIT)
        .values_list("account_id", "period_on", "kind")
        .annotate(Sum("amount_micro_usd"))
        .order_by("account_id", "period_on", "kind")
    )
    for account_id, period_on, kind, amount in rows:
        yield account_id, Month.of(period_on), kind, amount


def sign_up_month(account: Account) -> Month:
    """The month in which the account was opened."""
    return Month.of(day_of(account.created_at, settings.BILLING_ZONE))


def month_money(account: Account, month: Month, months: dict[Month, MonthMoney]) -> MonthMoney:
    """The money of `month` among `months`; of one that has none yet, the credit that is due."""
    return months.get(month) or _with_credit_due(account, month, MonthMoney())


def _with_sign_up_credit_due(accounts: Iterable[Account]) -> list[Account]:
    """Those whose plan gives credit once and whose ledger does not say so yet."""
    once = [account for account in accounts if account.plan.credit_period == CreditPeriod.ONCE]
    if not once:
        return []
    granted = set(
        LedgerEntry.objects.filter(account__in=once, kind=EntryKind.GRANT, source=SIGN_UP).values_list(
            "account_id", flat=True
        )
    )
    return [account for account in once if account.pk not in granted]


def _with_credits_due(
    account: Account, sums: Mapping[Month, dict[str, int]], closed: set[Month]
) -> dict[Month, MonthMoney]:
    months = {month: MonthMoney(**fields) for month, fields in sums.items()}
    return {
        month: money if month in closed else _with_credit_due(account, month, money) for month, money in months.items()
    }


def _with_credit_due(account: Account, month: Month, money: MonthMoney) -> MonthMoney:
    plan = account.plan_on(month.first_day)
    is_due = money.credit_micro_usd < plan.credit_micro_usd and plan.credit_period == CreditPeriod.MONTHLY
    return replace(money, credit_micro_usd=plan.credit_micro_usd) if is_due else money
