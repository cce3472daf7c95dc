"""What the schedule asks of billing: credit, charges, statements."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from billing.alerts import spending_watch
from billing.checks import check_make
from billing.ledger import monthly_credit_grant, usage_charge
from billing.statements import month_close
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_of
from stats.rollups import usage_catch_up


@shared_task(name="billing.grant_monthly_credit")
def grant_monthly_credit() -> int:
    return monthly_credit_grant(month=Month.of(day_of(utc_now(), settings.BILLING_ZONE)))


@shared_task(name="billing.charge_usage")
def charge_usage() -> int:
    return usage_charge(before=day_of(utc_now(), settings.BILLING_ZONE))


@shared_task(name="billing.close_past_months")
def close_past_months() -> int:
    """The last three months, the oldest first: a schedule that stood still for a while is made up for."""
    now = utc_now()
    # What waits belongs into the statements; afterwards it would be late.
    usage_catch_up()
    last = Month.of(day_of(now, settings.BILLING_ZONE)).previous
    months = (last.previous.previous, last.previous, last)
    return sum(statement is not None for month in months for statement in month_close(month=month, now=now))


@shared_task(name="billing.verify_usage")
def verify_usage() -> int:
    """Differences found. Raw records of the last days only: those of before are read once a night."""
    return check_make(now=utc_now(), n_days_of_records=3)


@shared_task(name="billing.verify_all_usage")
def verify_all_usage() -> int:
    return check_make(now=utc_now())


@shared_task(name="billing.watch_spending")
def watch_spending() -> int:
    return spending_watch()
