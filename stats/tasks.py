"""What the schedule asks of usage: roll it up, keep its partitions."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, days
from stats.partitions import partitions_drop, partitions_ensure
from stats.rollups import usage_roll_up

DAYS_AHEAD = 3


@shared_task(name="stats.roll_up_usage")
def roll_up_usage() -> int:
    return usage_roll_up()


@shared_task(name="stats.keep_partitions")
def keep_partitions() -> int:
    today = day_of(utc_now(), settings.BILLING_ZONE)
    partitions_drop(before=today - timedelta(days=settings.RAW_RETENTION_DAYS))
    return partitions_ensure(set(days(today, today + timedelta(days=DAYS_AHEAD))), zone=settings.BILLING_ZONE)
