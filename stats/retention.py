"""How long usage is kept at which grain. Records: a setting; days: for good. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from goongdash.lib.periods import Month

MINUTES_DAYS = 2
HOURS_MONTHS = 13


def minutes_from(today: date) -> date:
    """The first day whose minutes are kept: today and two whole days before it."""
    return today - timedelta(days=MINUTES_DAYS)


def hours_from(today: date) -> date:
    """The first day whose hours are kept: thirteen whole months lie between its month and the one of `today`."""
    month = Month.of(today)
    for _ in range(HOURS_MONTHS):
        month = month.previous
    return month.first_day


def records_from(today: date, retention_days: int) -> date:
    """The first day whose records are kept."""
    return today - timedelta(days=retention_days)
