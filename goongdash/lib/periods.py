"""Days and months as the installation's zone cuts them. Intervals are `[start, end)` of aware instants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


class PeriodError(ValueError):
    """A text that names no day or month; `args[0]` says why."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, cut by no zone until `bounds` is asked for."""

    year: int
    month: int

    def __post_init__(self) -> None:
        # One year more at each end than can be written, so that every month has a next and a previous one.
        if not (1969 <= self.year <= 9999 and 1 <= self.month <= 12):
            raise PeriodError(f"{self.year}-{self.month} is not a month.")

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month of a text such as ``2026-11``; raises PeriodError."""
        match = _MONTH.fullmatch(text.strip())
        if match is None:
            raise PeriodError(f"{text!r} is not a month; write it as 2026-11.")
        if not 1970 <= int(match[1]) <= 9998:
            raise PeriodError(f"{text!r} is out of range.")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def next(self) -> Month:
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> Month:
        return Month.of(self.first_day - timedelta(days=1))

    @property
    def number(self) -> int:
        """``202611``: what counters and events call this month."""
        return self.year * 100 + self.month

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        return day_start(self.first_day, zone), day_start(self.next.first_day, zone)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of `day` in `zone`, in UTC: where clocks skip midnight, or strike it twice, as well."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The day that `zone` was in at `instant`."""
    return instant.astimezone(zone).date()


def day_number(day: date) -> int:
    """``20261123``: what counters call this day."""
    return day.year * 10_000 + day.month * 100 + day.day


def days(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)
