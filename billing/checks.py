"""Keeps what the comparisons of statistics, ledger and statements found, and says it for one account's month."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import Account
from billing.ledger import USAGE_KINDS
from billing.models import Check, EntryKind, LedgerEntry, Statement
from billing.verification import Verification, usage_verify
from goongdash.lib.periods import Month, day_of
from stats.models import DailyUsage, HourlyUsage

KEPT = timedelta(days=90)
logger = logging.getLogger(__name__)


def check_make(*, now: datetime, n_days_of_records: int | None = None) -> int:
    """Compares everything, keeps the result and returns the number of differences; any is an error in the log."""
    today = day_of(now, settings.BILLING_ZONE)
    since = None if n_days_of_records is None else today - timedelta(days=n_days_of_records - 1)
    found = usage_verify(now, records_from_on=since)
    check_keep(found, now=now, records_from_on=since)
    return len(found.differences)


@transaction.atomic
def check_keep(found: Verification, *, now: datetime, records_from_on: date | None = None) -> Check:
    """Keeps a comparison of all accounts."""
    first = str(found.differences[0]) if found.differences else ""
    if first:
        logger.error("usage does not hold: %s differences, the first: %s", len(found.differences), first)
    totals = {name: value for name, value in asdict(found).items() if isinstance(value, int)}
    Check.objects.filter(at__lt=now - KEPT).delete()
    return Check.objects.create(
        at=now,
        records_from_on=records_from_on,
        holds=found.holds,
        first_difference=first,
        n_differences=len(found.differences),
        account_ids=sorted({d.account_id for d in found.differences if d.account_id is not None}),
        totals=totals,
    )


@dataclass(frozen=True, slots=True)
class MonthCheck:
    """One account's month from all sides, as of now, and when all accounts were last compared (None: never yet).

    Micro-dollars, and requests where they are known. `pending` is what the days have and the ledger has not been
    charged yet; `late` what came after the month was closed, and is in later statements.
    """

    month: Month
    n_hours: int
    n_days: int
    hours_micro_usd: int
    days_micro_usd: int
    ledger_micro_usd: int
    statement_micro_usd: int | None
    late_micro_usd: int
    of_before_micro_usd: int
    is_over: bool
    checked_at: datetime | None
    was_found_different: bool

    @property
    def pending_micro_usd(self) -> int:
        """What the ledger has still to charge: of days that run, or have just ended."""
        return self.days_micro_usd - self.ledger_micro_usd

    @property
    def own_micro_usd(self) -> int | None:
        """The statement's part that is of the month's own days."""
        return None if self.statement_micro_usd is None else self.statement_micro_usd - self.of_before_micro_usd

    @property
    def holds(self) -> bool:
        is_same = (self.n_hours, self.hours_micro_usd) == (self.n_days, self.days_micro_usd)
        if self.own_micro_usd is not None:
            is_same &= self.own_micro_usd + self.late_micro_usd == self.ledger_micro_usd
        return is_same and not self.was_found_different


def month_check(account: Account, month: Month) -> MonthCheck:
    """Five queries, whatever was used."""
    start, end = month.bounds(settings.BILLING_ZONE)
    of_hours = HourlyUsage.objects.filter(account=account, hour_at__gte=start, hour_at__lt=end)
    of_days = DailyUsage.objects.filter(
        account=account, day_on__gte=month.first_day, day_on__lt=month.next.first_day
    ).aggregate(n=Sum("n_requests", default=0), c=Sum("cost_micro_usd", default=0))
    hours = of_hours.aggregate(n=Sum("n_requests", default=0), c=Sum("cost_micro_usd", default=0))
    statement = Statement.objects.filter(account=account, period_on=month.first_day).first()
    is_own = Q(usage_on__gte=month.first_day, usage_on__lt=month.next.first_day)
    is_late = Q(kind=EntryKind.LATE_USAGE)
    ledger = LedgerEntry.objects.filter(account=account, kind__in=USAGE_KINDS).aggregate(
        own=Sum("amount_micro_usd", filter=is_own, default=0),
        late=Sum("amount_micro_usd", filter=is_own & is_late, default=0),
        before=Sum("amount_micro_usd", filter=is_late & Q(period_on=month.first_day), default=0),
    )
    last = Check.objects.first()
    return MonthCheck(
        month=month,
        n_hours=hours["n"],
        n_days=of_days["n"],
        hours_micro_usd=hours["c"],
        days_micro_usd=of_days["c"],
        ledger_micro_usd=-ledger["own"],
        statement_micro_usd=None if statement is None else statement.gross_micro_usd,
        late_micro_usd=-ledger["late"],
        of_before_micro_usd=-ledger["before"],
        is_over=statement is not None,
        checked_at=last.at if last else None,
        was_found_different=last is not None and account.pk in last.account_ids,
    )
