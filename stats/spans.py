"""The stretch of time that a statistics page shows: named ones, from–to, and how finely each may be cut. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from goongdash.lib.periods import Month, day_of
from stats.periods import Grain, Period, custom_period, hour_of
from stats.queries import minute_of

_MINUTES_SHOWN = 60
_HOURS_SHOWN = 24
# A bar for each hour of more days would be thinner than a line; below so many days a month is one bar or two.
MAX_DAYS_BY_HOUR = 31
MIN_DAYS_BY_MONTH = 32
# Up to here a day is a bar; beyond, months come first.
MAX_DAYS_BY_DAY = 120


class SpanName(StrEnum):
    HOUR = "1h"
    DAY = "24h"
    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"
    THIRTY_DAYS = "30d"
    NINETY_DAYS = "90d"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Span:
    """The instants `[start, end)`, of which the last may lie ahead, and the grains to choose from, the usual first.

    `days` are those that it touches. `notice` says where they differ from what was asked for.
    """

    start: datetime
    end: datetime
    grains: tuple[Grain, ...]
    days: Period

    @property
    def notice(self) -> str:
        return self.days.notice

    def holds(self, now: datetime) -> bool:
        """Whether it is still under way."""
        return now < self.end


def whole_month(days: Period, today: date) -> Month | None:
    """The month that `days` are, all of it or, while it runs, as far as it has come."""
    month = Month.of(days.first)
    is_whole = days.first == month.first_day and min(days.last, today) == min(month.last_day, today)
    return month if is_whole and Month.of(days.last) == month and days.first <= today else None


def named_span(name: SpanName, *, now: datetime, zone: ZoneInfo) -> Span:
    """What `name` means at `now` in `zone`. `custom` without days of its own begins as the last seven."""
    today = day_of(now, zone)
    match name:
        case SpanName.HOUR:
            end = minute_of(now) + timedelta(minutes=1)
            return _of_instants(end - timedelta(minutes=_MINUTES_SHOWN), end, Grain.MINUTE, zone)
        case SpanName.DAY:
            end = hour_of(now, zone) + timedelta(hours=1)
            return _of_instants(end - timedelta(hours=_HOURS_SHOWN), end, Grain.HOUR, zone)
        case SpanName.TODAY:
            return days_span(Period(today, today), zone)
        case SpanName.YESTERDAY:
            yesterday = today - timedelta(days=1)
            return days_span(Period(yesterday, yesterday), zone)
        case SpanName.WEEK | SpanName.CUSTOM:
            return days_span(_last_days(7, today), zone)
        case SpanName.THIRTY_DAYS:
            return days_span(_last_days(30, today), zone)
        case SpanName.NINETY_DAYS:
            return days_span(_last_days(90, today), zone)
        case SpanName.THIS_MONTH:
            return days_span(Period(Month.of(today).first_day, today), zone)
        case SpanName.LAST_MONTH:
            month = Month.of(today).previous
            return days_span(Period(month.first_day, month.last_day), zone)
        case _:
            assert_never(name)


def custom_span(first: date, last: date, *, now: datetime, zone: ZoneInfo) -> Span:
    """The days from `first` to `last`. Raises PeriodError, its sentence meant for the user, where no day is left."""
    return days_span(custom_period(first, last, now=now, zone=zone), zone)


def days_span(period: Period, zone: ZoneInfo) -> Span:
    """Whole days, cut by hour where there are few, by month where there are many."""
    start, end = period.bounds(zone)
    return Span(start, end, _grains(period.n_days), period)


def by_day(span: Span, zone: ZoneInfo) -> Span:
    """The days that `span` touches, for what is known by the day only."""
    start, end = span.days.bounds(zone)
    grains = tuple(grain for grain in _grains(span.days.n_days) if grain in (Grain.DAY, Grain.MONTH))
    return Span(start, end, grains or (Grain.DAY,), span.days)


def _of_instants(start: datetime, end: datetime, grain: Grain, zone: ZoneInfo) -> Span:
    last = day_of(end - timedelta(microseconds=1), zone)
    return Span(start, end, (grain,), Period(day_of(start, zone), last))


def _last_days(n: int, today: date) -> Period:
    return Period(today - timedelta(days=n - 1), today)


def _grains(n_days: int) -> tuple[Grain, ...]:
    if n_days == 1:
        return (Grain.HOUR,)
    if n_days < MIN_DAYS_BY_MONTH:
        return (Grain.HOUR, Grain.DAY) if n_days == 2 else (Grain.DAY, Grain.HOUR)
    return (Grain.DAY, Grain.MONTH) if n_days <= MAX_DAYS_BY_DAY else (Grain.MONTH, Grain.DAY)
