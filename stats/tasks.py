"""What the schedule asks of usage: roll it up, watch it, keep its partitions."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, days
from stats.alarms import usage_watch
from stats.pace import usage_keep_up
from stats.partitions import HOURS, MINUTES, RECORDS, partitions_drop, partitions_ensure
from stats.retention import hours_from, minutes_from, records_from
from stats.rotations import rotations_end

DAYS_AHEAD = 3


@shared_task(name="stats.roll_up_usage")
def roll_up_usage() -> int:
    return usage_keep_up()


@shared_task(name="stats.watch_usage")
def watch_usage() -> int:
    return usage_watch()


@shared_task(name="stats.end_rotations")
def end_rotations() -> int:
    return rotations_end(now=utc_now())


@shared_task(name="stats.keep_partitions")
def keep_partitions() -> int:
    """Returns how many partitions were made. One that cannot be dropped now is dropped by the next run."""
    today = day_of(utc_now(), settings.BILLING_ZONE)
    ahead = set(days(today, today + timedelta(days=DAYS_AHEAD)))
    n_made = sum(partitions_ensure(ahead, zone=settings.BILLING_ZONE, table=t) for t in (RECORDS, MINUTES, HOURS))
    partitions_drop(before=records_from(today, settings.RAW_RETENTION_DAYS))
    partitions_drop(before=minutes_from(today), table=MINUTES)
    partitions_drop(before=hours_from(today), table=HOURS)
    return n_made
