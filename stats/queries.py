"""What to ask of usage: whose, when, how finely cut, which of it, and by what it is told apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from goongdash.lib.periods import Month, day_of, day_start, days
from stats.outcomes import Outcome
from stats.periods import Grain, hour_of, hours
from stats.series import Bucket, Totals, totals_added

# How many groups are told apart; the others are one more.
TOP_GROUPS = 10
_MINUTE = timedelta(minutes=1)
_TICK = timedelta(microseconds=1)


class Dimension(StrEnum):
    """By what usage is told apart, and held to."""

    KEY = "key"
    TYPE = "type"
    SERVICE = "service"
    OUTCOME = "outcome"
    ORIGIN = "origin"
    COUNTRY = "country"


class Measure(StrEnum):
    """What of usage is looked at, and decides which groups are the largest."""

    REQUESTS = "requests"
    UNITS = "units"
    COST = "cost"
    REFUSALS = "refusals"


class Rest(Enum):
    """The group of all that is in no group of its own."""

    OTHER = "other"


OTHER: Literal[Rest.OTHER] = Rest.OTHER

# The id of a key (the first of those that took each other's place) or of a service (None: the path named none), a key
# type, an outcome, an origin or country ("": none named, nobody knows), all else. Where nothing is told apart, there is
# one group, None.
Group = int | str | Outcome | Rest | None


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which usage of an account to add up. A filter that is empty lets everything pass; together they all hold.

    Every minute, hour or day that `[start, end)` touches is taken whole. Origins and countries are known by the day:
    where `needs_origins`, the grain is a day or a month, or ValueError is raised.
    """

    account_id: int
    start: datetime
    end: datetime
    grain: Grain
    group_by: Dimension | None = None
    measure: Measure = Measure.REQUESTS
    keys: frozenset[int] = frozenset()
    types: frozenset[str] = frozenset()
    services: frozenset[int | None] = frozenset()
    outcomes: frozenset[Outcome] = frozenset()
    origins: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"{self.start} is not before {self.end}.")
        if self.needs_origins and self.grain in (Grain.MINUTE, Grain.HOUR):
            raise ValueError("Origins and countries are known by the day.")

    @property
    def needs_origins(self) -> bool:
        """Whether only the sums by origin can answer."""
        return bool(self.group_by in (Dimension.ORIGIN, Dimension.COUNTRY) or self.origins or self.countries)

    def days(self, zone: ZoneInfo) -> tuple[date, date]:
        """The first and the last day that the query touches."""
        return day_of(self.start, zone), day_of(self.end - _TICK, zone)

    def buckets(self, zone: ZoneInfo) -> list[date] | list[datetime]:
        """Every minute, hour, day or month of the query in order, whether anything happened or not."""
        first, last = self.days(zone)
        match self.grain:
            case Grain.MINUTE:
                n_minutes = -((minute_of(self.start) - self.end) // _MINUTE)
                return [minute_of(self.start) + n * _MINUTE for n in range(n_minutes)]
            case Grain.HOUR:
                return [hour for hour in hours(first, last, zone) if hour_of(self.start, zone) <= hour < self.end]
            case Grain.DAY:
                return list(days(first, last))
            case Grain.MONTH:
                return sorted({Month.of(day).first_day for day in days(first, last)})

    def before(self, zone: ZoneInfo) -> UsageQuery:
        """The same of the time before, which is as long: in days where days are asked for, else to the second."""
        if self.grain in (Grain.MINUTE, Grain.HOUR):
            return replace(self, start=self.start - (self.end - self.start), end=self.start)
        first, last = self.days(zone)
        start = day_start(first - (last - first) - timedelta(days=1), zone)
        return replace(self, start=start, end=day_start(first, zone))


@dataclass(frozen=True, slots=True)
class UsageCell:
    """What one group had in one minute, hour, day or month (its first day)."""

    bucket: Bucket
    group: Group
    totals: Totals


@dataclass(frozen=True)
class UsageCut:
    """The answer: what there is of each bucket and group, in order of buckets, and the groups, the largest first.

    At most TOP_GROUPS of them and, last, OTHER. Everything that the filters let pass is in some cell, and once more in
    `outcomes`.
    """

    cells: tuple[UsageCell, ...]
    groups: tuple[Group, ...]
    outcomes: Mapping[Outcome, Totals] = field(default_factory=dict)

    @cached_property
    def totals(self) -> Totals:
        return totals_added(self.by_group.values())

    @cached_property
    def by_group(self) -> dict[Group, Totals]:
        parts: dict[Group, list[Totals]] = {group: [] for group in self.groups}
        for cell in self.cells:
            parts[cell.group].append(cell.totals)
        return {group: totals_added(parts[group]) for group in self.groups}


@dataclass(frozen=True, slots=True)
class BusiestHour:
    """The hour with the most requests of all."""

    at: datetime
    n_requests: int


def minute_of(instant: datetime) -> datetime:
    """The full minute in which `instant` lies, in UTC."""
    return instant.astimezone(UTC).replace(second=0, microsecond=0)
