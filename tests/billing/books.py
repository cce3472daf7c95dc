"""An account with a past, and what its books say, for tests of billing. All of it happens around T0."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Sum
from pytest import MonkeyPatch

from accounts.models import Account
from billing import ledger, statements, tasks
from billing.models import LedgerEntry
from goongdash.lib.periods import Month
from keys.models import Service
from stats import rollups
from stats.models import DailyUsage
from tests.factories import T0, make_account, owner_of

SEPTEMBER, OCTOBER, NOVEMBER = Month(2026, 9), Month(2026, 10), Month(2026, 11)
USD = 1_000_000
CREDIT = 100 * USD


def stop_clock(monkeypatch: MonkeyPatch, now: datetime = T0) -> None:
    """It is `now` for everyone who asks in billing and rollup."""
    for module in (ledger, statements, tasks, rollups):
        monkeypatch.setattr(module, "utc_now", lambda: now)


def old_account(email: str = "", *, plan: str = "free") -> Account:
    """An account of a year ago."""
    account = make_account(email, plan=plan)
    account.created_at = T0 - timedelta(days=365)
    account.save(update_fields=["created_at"])
    return account


def email_of(account: Account) -> str:
    return owner_of(account).email


def used(account: Account, day: date, cost_micro_usd: int, *, service: str = "geocode", units: int = 1) -> None:
    """The rollup says that the account's use of the service on `day` cost so much more."""
    row, _ = DailyUsage.objects.get_or_create(
        account_id=account.pk,
        key_id=1,
        service=Service.objects.get(slug=service),
        outcome=0,
        day_on=day,
        defaults={"n_requests": 0, "units": 0, "cost_micro_usd": 0},
    )
    row.n_requests += units
    row.units += units
    row.cost_micro_usd += cost_micro_usd
    row.save()


def entries(account: Account | None = None) -> list[tuple[str, date, str, int]]:
    """All ledger entries (of `account`), as (kind, month, source, micro-dollars), oldest first."""
    some = LedgerEntry.objects.all() if account is None else LedgerEntry.objects.filter(account=account)
    return list(some.order_by("id").values_list("kind", "period_on", "source", "amount_micro_usd"))


def plain_sum(account: Account) -> int:
    return int(LedgerEntry.objects.filter(account=account).aggregate(sum=Sum("amount_micro_usd", default=0))["sum"])
