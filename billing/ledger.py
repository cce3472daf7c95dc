"""Writes the ledger: credit, usage charges, grants. Every entry may be written twice and is there once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.actors import SYSTEM, current_actor
from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.changes import announce_account_change
from accounts.models import Account, CreditPeriod
from billing.models import EntryKind, LedgerEntry, Statement
from billing.notes import SIGNED_UP
from billing.selectors import SIGN_UP, sign_up_month
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd
from goongdash.lib.periods import Month, day_of
from stats.models import DailyUsage

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

    Its author is who acts.
    """
    actor = current_actor()
    _, is_new = LedgerEntry.objects.get_or_create(
        account=account,
        period_on=month.first_day,
        kind=kind,
        source=source,
        defaults={
            "amount_micro_usd": amount_micro_usd,
            "note": note,
            "author": "" if actor is SYSTEM else actor.name,
            "created_at": utc_now(),
        },
    )
    if is_new:
        announce_account_change(account.pk)
    return is_new


def monthly_credit_grant(*, month: Month, accounts: Iterable[Account] | None = None) -> int:
    """Gives every active account (or `accounts`) the credit of its plan; returns how many got some now.

    Monthly credit belongs to `month`, none where that is closed: what its statement says of credit stands. An
    account that came to a plan with more in the month that runs gets the rest. Credit that a plan gives once, at
    sign-up, is lasting.
    """
    closed = set(Statement.objects.filter(period_on=month.first_day).values_list("account_id", flat=True))
    if accounts is None:
        accounts = _accounts_without_credit(month).iterator()
    return sum(_grant_plan_credit(account, month, closed) for account in accounts)


def _accounts_without_credit(month: Month) -> QuerySet[Account]:
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
    """Gives lasting credit, once per `source` and month; returns whether it was new."""
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


@transaction.atomic
def usage_charge(*, before: date, account: Account | None = None) -> int:
    """Charges the usage of all days before `before` as far as it is not charged yet; returns the entries made.

    One entry for an account's day; what reaches a charged day later becomes an entry of its own, and where
    its month is closed, late usage of the open month.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHARGE_LOCK])
    open_month = Month.of(day_of(utc_now(), settings.BILLING_ZONE))
    uncharged = sorted(_uncharged(before, account).items())
    months = {Month.of(day).first_day for (_, day), _ in uncharged}
    closed = set(Statement.objects.filter(period_on__in=months).values_list("account_id", "period_on"))
    entries = [
        _usage_entry(account_id, day, amount, n_before, open_month, closed)
        for (account_id, day), (amount, n_before) in uncharged
    ]
    LedgerEntry.objects.bulk_create(entries, batch_size=1_000)
    # Usage is what the gates count themselves; late usage takes from what the open month may spend.
    for account_id in {entry.account_id for entry in entries if entry.kind == EntryKind.LATE_USAGE}:
        announce_account_change(account_id)
    return len(entries)


def usage_charged(account: Account, month: Month) -> int:
    """Micro-dollars charged so far for the days of `month`."""
    charged = LedgerEntry.objects.filter(
        account=account,
        kind__in=USAGE_KINDS,
        usage_on__gte=month.first_day,
        usage_on__lt=month.next.first_day,
    ).aggregate(amount=Sum("amount_micro_usd", default=0))
    return -int(charged["amount"])


def _uncharged(before: date, account: Account | None) -> dict[tuple[int, date], tuple[int, int]]:
    """Micro-dollars not charged yet, and entries already made, by account and day."""
    # Through the join, only accounts that there are: usage in the name of none must not stop everyone's charges.
    used = DailyUsage.objects.filter(day_on__lt=before, account__created_at__isnull=False)
    charged = LedgerEntry.objects.filter(kind__in=USAGE_KINDS, usage_on__lt=before)
    if account is not None:
        used, charged = used.filter(account=account), charged.filter(account=account)
    made = {
        (row["account_id"], row["usage_on"]): (-row["amount"], row["n"])
        for row in charged.values("account_id", "usage_on").annotate(amount=Sum("amount_micro_usd"), n=Count("id"))
    }
    missing = {}
    for row in used.values("account_id", "day_on").annotate(cost=Sum("cost_micro_usd")):
        key = (row["account_id"], row["day_on"])
        amount, n_before = made.get(key, (0, 0))
        if row["cost"] != amount:
            missing[key] = (row["cost"] - amount, n_before)
    return missing


def _usage_entry(
    account_id: int, day: date, amount: int, n_before: int, open_month: Month, closed: set[tuple[int, date]]
) -> LedgerEntry:
    month = Month.of(day)
    is_late = (account_id, month.first_day) in closed
    return LedgerEntry(
        account_id=account_id,
        period_on=(open_month if is_late else month).first_day,
        kind=EntryKind.LATE_USAGE if is_late else EntryKind.USAGE,
        source=f"{day}#{n_before + 1}",
        usage_on=day,
        amount_micro_usd=-amount,
        created_at=utc_now(),
    )
