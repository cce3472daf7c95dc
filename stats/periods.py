"""Days from–to, and the hours in them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from goongdash.lib.periods import PeriodError, day_of, day_start, days

MAX_DAYS = 366
# Usage is never older; and from here on every cut, in any zone, is an instant that can be written.
EARLIEST_DAY = date(1970, 1, 1)
MAX_DAYS_BY_HOUR = 2

# Every offset from UTC, and every change of one, is a whole number of these; a day is walked in such steps.
_STEP = timedelta(minutes=15)


class Grain(StrEnum):
    """What one bar of a chart, or one row of an export, covers."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


# Those that the rows of an export can have.
EXPORT_GRAINS = (Grain.HOUR, Grain.DAY)


@dataclass(frozen=True, slots=True)
class Period:
    """The days `first` to `last`, both included. `notice` says where they differ from what was asked for."""

    first: date
    last: date
    notice: str = ""

    @property
    def n_days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def grain(self) -> Grain:
        return Grain.HOUR if self.n_days <= MAX_DAYS_BY_HOUR else Grain.DAY

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The instants `[start, end)` of the period in `zone`."""
        return day_start(self.first, zone), day_start(self.last + timedelta(days=1), zone)


def custom_period(first: date, last: date, *, now: datetime, zone: ZoneInfo) -> Period:
    """The days from `first` to `last`, cut at today and to the latest MAX_DAYS of them.

    Raises PeriodError, its sentence meant for the user, where no day is left.
    """
    today = day_of(now, zone)
    if first > last:
        words = _("The first day, %(first)s, is after the last one, %(last)s.")
        raise PeriodError(words % {"first": _day(first), "last": _day(last)})
    if first > today:
        words = _("%(day)s has not begun yet: today is %(today)s.")
        raise PeriodError(words % {"day": _day(first), "today": _day(today)})
    if last < EARLIEST_DAY:
        words = _("%(day)s is too long ago: there is nothing from before %(earliest)s.")
        raise PeriodError(words % {"day": _day(last), "earliest": _day(EARLIEST_DAY)})
    end = min(last, today)
    start = max(first, end - timedelta(days=MAX_DAYS - 1))
    if start > first:
        words = _("A period has %(max)d days at the most. These are the days from %(first)s to %(last)s.")
        return Period(start, end, words % {"max": MAX_DAYS, "first": _day(start), "last": _day(end)})
    if end < last:
        words = _("%(day)s is still to come. These are the days up to today, %(today)s.")
        return Period(start, end, words % {"day": _day(last), "today": _day(end)})
    return Period(start, end)


def _day(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")


def hour_of(instant: datetime, zone: ZoneInfo) -> datetime:
    """The full hour of `zone` in which `instant` lies, in UTC.

    The clock's minutes are cut off under the offset that holds at `instant`, as PostgreSQL's
    date_trunc('hour', instant, zone) does, so that an hour repeated in autumn is two hours.
    """
    local = instant.astimezone(zone)
    cut = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return instant.astimezone(UTC) - cut


def hours(first: date, last: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Every hour of the days `first` to `last` in `zone`, in UTC and in order, each once: 23 or 25 in some days."""
    at, end = day_start(first, zone), day_start(last + timedelta(days=1), zone)
    newest: datetime | None = None
    while at < end:
        hour = hour_of(at, zone)
        if newest is None or hour > newest:
            newest = hour
            yield hour
        at += _STEP


def buckets(period: Period, *, grain: Grain, zone: ZoneInfo) -> list[date] | list[datetime]:
    """The days of `period`, or the instants at which its hours begin."""
    if grain is Grain.DAY:
        return list(days(period.first, period.last))
    return list(hours(period.first, period.last, zone))
