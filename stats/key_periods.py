"""How far back the page of a key looks, and its chart of what was allowed and what was refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from goongdash.lib.periods import day_of
from stats.charts import PARTS_SWATCH, UNKNOWN_SWATCH, ServiceFacts
from stats.cut_charts import CutChart, CutSeries, cut_chart
from stats.outcomes import Outcome
from stats.periods import Grain, Period, buckets, hour_of
from stats.queries import Measure
from stats.series import UsageRow, zero_filled

_HOURS_SHOWN = 24


class KeyPeriod(StrEnum):
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"


_N_DAYS = {KeyPeriod.DAY: 2, KeyPeriod.WEEK: 7, KeyPeriod.MONTH: 30, KeyPeriod.QUARTER: 90}


@dataclass(frozen=True, slots=True)
class KeySpan:
    """The days that are read, and the hours or days in them that are shown: the last ones, up to now."""

    period: Period
    grain: Grain
    buckets: list[date] | list[datetime]

    @property
    def hours(self) -> tuple[datetime, datetime] | None:
        """From when to when, where hours are shown."""
        hours = [bucket for bucket in self.buckets if isinstance(bucket, datetime)]
        return (hours[0], hours[-1] + timedelta(hours=1)) if hours else None

    def holds(self, row: UsageRow) -> bool:
        """Whether the row is shown. Of two days by the hour, those of the last 24 are."""
        return row.bucket >= self.buckets[0]


class _Kind(StrEnum):
    """What a bar is made of, from the bottom up."""

    ALLOWED = "allowed"
    PARTS = "map-parts"
    REFUSED = "refused"


_SWATCHES = {_Kind.ALLOWED: "1", _Kind.PARTS: PARTS_SWATCH, _Kind.REFUSED: UNKNOWN_SWATCH}


def key_period(text: str) -> KeyPeriod:
    """The period of that name; a week for anything else."""
    return KeyPeriod(text) if text in set(KeyPeriod) else KeyPeriod.WEEK


def key_span(name: KeyPeriod, *, now: datetime, zone: ZoneInfo) -> KeySpan:
    """What `name` shows at `now`: whole days of `zone`, or the hour under way and the 23 before it."""
    today = day_of(now, zone)
    period = Period(today - timedelta(days=_N_DAYS[name] - 1), today)
    if name is not KeyPeriod.DAY:
        return KeySpan(period, Grain.DAY, buckets(period, grain=Grain.DAY, zone=zone))
    hours = [hour for hour in buckets(period, grain=Grain.HOUR, zone=zone) if hour <= hour_of(now, zone)]
    return KeySpan(period, Grain.HOUR, hours[-_HOURS_SHOWN:])


def key_chart(
    rows: Sequence[UsageRow],
    *,
    span: KeySpan,
    services: Mapping[int, ServiceFacts],
    labels: Mapping[str, str],
    zone: ZoneInfo,
) -> CutChart:
    """Allowed and refused requests over `span`, without a gap, called as `labels` says.

    The free parts of map loads are a series of their own, off where there is another: they are dozens for each map.
    """

    def kind(row: UsageRow) -> _Kind:
        if row.outcome is not Outcome.ALLOWED:
            return _Kind.REFUSED
        service = services.get(row.service_id) if row.service_id is not None else None
        return _Kind.PARTS if service is not None and service.is_part else _Kind.ALLOWED

    values = zero_filled(rows, span.buckets, kind)
    series = [
        CutSeries(each, labels[each], _SWATCHES[each], values[each], is_off=each is _Kind.PARTS and len(values) > 1)
        for each in _Kind
        if each in values
    ]
    return cut_chart(
        series,
        buckets=span.buckets,
        measure=Measure.REQUESTS,
        is_lines=False,
        zone=zone,
        hrefs=[""] * len(span.buckets),
        unfinished=len(span.buckets) - 1,
    )
