"""Writes the ledger: credit, usage charges, grants. Every entry may be written twice and is there once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.actors import SYSTEM, current_actor
from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.changes import announce_account_change
from accounts.models import Account, CreditPeriod
from billing.charge_queries import CHARGE_GIVEN, CHARGE_READ
from billing.models import MOVES, EntryKind, LedgerEntry, Statement
from billing.month_usage import DayCost
from billing.months import SIGN_UP, sign_up_month
from billing.notes import SIGNED_UP
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd
from goongdash.lib.periods import Month, day_of

# Serialises those who charge usage; the number is arbitrary and used for nothing else.
_CHARGE_LOCK = 7_203_119
USAGE_KINDS = (EntryKind.USAGE, EntryKind.LATE_USAGE)


@transaction.atomic
def entry_post(
    *,
    account: Account,
    month: Month,
    kind: EntryKind,
    amount_micro_usd: int,
    source: str = "",
    note: str = "",
) -> bool:
    """Adds the entry unless one of its (account, month, kind, source) is there; returns whether it was new.

    Of a payment or a grant the month does not matter. The author is who acts.
    """
    actor, period_on = current_actor(), month.first_day
    _, is_new = LedgerEntry.objects.get_or_create(
        account=account,
        kind=kind,
        source=source,
        **({} if kind in MOVES else {"period_on": period_on}),
        defaults={
            "period_on": period_on,
            "amount_micro_usd": amount_micro_usd,
            "note": note,
            "author": "" if actor is SYSTEM else actor.name,
            "created_at": utc_now(),
        },
    )
    if is_new:
        announce_account_change(account.pk)
    return is_new


def entries_add(entries: Iterable[LedgerEntry]) -> None:
    """Adds those of the entries that are not there yet: many of `entry_post`, and the gates are not told."""
    actor, now = current_actor(), utc_now()
    author, new = "" if actor is SYSTEM else actor.name, list(entries)
    for entry in new:
        entry.author, entry.created_at = author, now
    LedgerEntry.objects.bulk_create(new, batch_size=5_000, ignore_conflicts=True)


def closing_credit_grant(*, month: Month, accounts: Iterable[Account]) -> None:
    """What `accounts` should have been given of `month` and were not: before it is closed.

    No gate is told: it counts on credit from its month's first instant, granted or not.
    """
    entries_add(entry for account in accounts if (entry := _credit_entry(account, month)) is not None)


def _credit_entry(account: Account, month: Month) -> LedgerEntry | None:
    plan = account.plan_on(month.first_day)
    entry = LedgerEntry(account=account, amount_micro_usd=plan.credit_micro_usd)
    if plan.credit_micro_usd == 0:
        return None
    if plan.credit_period == CreditPeriod.ONCE:
        entry.period_on, entry.kind = sign_up_month(account).first_day, EntryKind.GRANT
        entry.source, entry.note = SIGN_UP, SIGNED_UP
    else:
        entry.period_on, entry.kind = month.first_day, EntryKind.MONTHLY_CREDIT
    return entry


def monthly_credit_grant(*, month: Month, accounts: Iterable[Account] | None = None, is_dry: bool = False) -> int:
    """Gives every active account (or `accounts`) the credit of its plan; returns how many got some now.

    Monthly credit belongs to `month`, none where that is closed: what its statement says of credit stands. An
    account that came to a plan with more in the month that runs gets the rest. Credit that a plan gives once, at
    sign-up, is lasting.
    """
    closed = set(Statement.objects.filter(period_on=month.first_day).values_list("account_id", flat=True))
    if accounts is None:
        accounts = accounts_without_credit(month).iterator()
    return sum(_grant_or_try(account, month, closed, is_dry=is_dry) for account in accounts)


@transaction.atomic
def _grant_or_try(account: Account, month: Month, closed: set[int], *, is_dry: bool) -> bool:
    is_new = _grant_plan_credit(account, month, closed)
    transaction.set_rollback(is_dry)
    return is_new


def accounts_without_credit(month: Month) -> QuerySet[Account]:
    """The active accounts whose plan gives credit that their ledger does not say yet: none of them, mostly."""
    entries = LedgerEntry.objects.filter(account=OuterRef("pk"))
    granted = (
        entries.filter(kind=EntryKind.MONTHLY_CREDIT, period_on=month.first_day)
        .values("account")
        .annotate(sum=Sum("amount_micro_usd"))
        .values("sum")
    )
    has_for_sign_up = Exists(entries.filter(kind=EntryKind.GRANT, source=SIGN_UP))
    is_due = Q(credit_granted__lt=F("plan__credit_micro_usd"), plan__credit_period=CreditPeriod.MONTHLY)
    is_due_once = Q(~has_for_sign_up, plan__credit_period=CreditPeriod.ONCE)
    accounts = Account.objects.annotate(credit_granted=Coalesce(Subquery(granted), 0)).filter(is_due | is_due_once)
    return accounts.filter(is_active=True, plan__credit_micro_usd__gt=0).select_related("plan", "next_plan")


def _grant_plan_credit(account: Account, month: Month, closed: set[int]) -> bool:
    plan = account.plan_on(month.first_day)
    if plan.credit_micro_usd == 0:
        return False
    if plan.credit_period == CreditPeriod.ONCE:
        return entry_post(
            account=account,
            month=sign_up_month(account),
            kind=EntryKind.GRANT,
            amount_micro_usd=plan.credit_micro_usd,
            source=SIGN_UP,
            note=SIGNED_UP,
        )
    if account.pk in closed:
        return False
    granted = _granted(account, month)
    if granted == 0:
        return entry_post(
            account=account, month=month, kind=EntryKind.MONTHLY_CREDIT, amount_micro_usd=plan.credit_micro_usd
        )
    # A plan of today says nothing about a month that is over.
    is_raised = granted < plan.credit_micro_usd and month == Month.of(day_of(utc_now(), settings.BILLING_ZONE))
    return is_raised and entry_post(
        account=account,
        month=month,
        kind=EntryKind.MONTHLY_CREDIT,
        amount_micro_usd=plan.credit_micro_usd - granted,
        source=f"raised to {plan.credit_micro_usd}",
        note=plan.name,
    )


def _granted(account: Account, month: Month) -> int:
    entries = LedgerEntry.objects.filter(
        account=account, period_on=month.first_day, kind=EntryKind.MONTHLY_CREDIT
    ).aggregate(amount=Sum("amount_micro_usd", default=0))
    return int(entries["amount"])


@transaction.atomic
def credit_grant(*, account: Account, amount_micro_usd: int, reason: str, source: str) -> bool:
    """Gives lasting credit, once per `source`, whatever the month; returns whether it was new."""
    Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    if LedgerEntry.objects.filter(account=account, kind=EntryKind.GRANT, source=source).exists():
        return False
    is_new = entry_post(
        account=account,
        month=Month.of(day_of(utc_now(), settings.BILLING_ZONE)),
        kind=EntryKind.GRANT,
        amount_micro_usd=amount_micro_usd,
        source=source,
        note=reason,
    )
    if is_new:
        changes = {"credit": (None, format_usd(amount_micro_usd)), "reason": (None, reason)}
        audit(AuditAction.CREDIT_GRANTED, account=account, on=account, changes=changes)
    return is_new


def charges_lock() -> None:
    """Until the transaction ends, nobody else charges usage or closes a month."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHARGE_LOCK])


@transaction.atomic
def usage_charge(*, before: date, since: date | None = None, account_ids: Collection[int] | None = None) -> int:
    """Charges the usage of the days from `since` to before `before` as far as it is not charged yet.

    Returns the entries made: one for an account's day. What reaches a charged day later becomes an entry of its own,
    and where its month is closed, late usage of the open month.
    """
    charges_lock()
    return _charge(CHARGE_READ, since or date.min, before, account_ids)


def month_charge(*, month: Month, account_ids: Collection[int], days: Sequence[DayCost]) -> int:
    """The same of a month's `days`, as its sums were read since `charges_lock`, in the transaction that took it."""
    used = {
        "of_accounts": [day.account_id for day in days],
        "of_days": [day.day_on for day in days],
        "of_costs": [day.cost_micro_usd for day in days],
    }
    return _charge(CHARGE_GIVEN, month.first_day, month.next.first_day, account_ids, **used)


def _charge(sql: str, since: date, before: date, account_ids: Collection[int] | None, **used: Any) -> int:
    now = utc_now()
    params: dict[str, Any] = {
        "since": since,
        "before": before,
        "account_ids": None if account_ids is None else list(account_ids),
        "kinds": list(USAGE_KINDS),
        "usage": EntryKind.USAGE,
        "late": EntryKind.LATE_USAGE,
        "open_month": Month.of(day_of(now, settings.BILLING_ZONE)).first_day,
        "now": now,
        **used,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        made = cursor.fetchall()
    # Usage is what the gates count themselves; late usage takes from what the open month may spend.
    for account_id in {account_id for account_id, kind in made if kind == EntryKind.LATE_USAGE}:
        announce_account_change(account_id)
    return len(made)
