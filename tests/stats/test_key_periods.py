from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stats.charts import ServiceFacts
from stats.key_periods import KeyPeriod, key_chart, key_period, key_span
from stats.outcomes import Outcome
from stats.periods import Grain
from stats.series import UsageRow

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)  # 10:30 in Hanoi.
SERVICES = {1: ServiceFacts("map-load", "Map load", "", 1), 2: ServiceFacts("tiles", "Tiles", "", 2, is_part=True)}
LABELS = {"allowed": "Allowed", "map-parts": "Parts", "refused": "Refused"}


@pytest.mark.parametrize("text", ["", "8d", "24H", "today"])
def test_a_period_that_is_none_is_a_week(text: str) -> None:
    assert key_period(text) is KeyPeriod.WEEK


@pytest.mark.parametrize(("name", "n_days"), [(KeyPeriod.WEEK, 7), (KeyPeriod.MONTH, 30), (KeyPeriod.QUARTER, 90)])
def test_days_end_today(name: KeyPeriod, n_days: int) -> None:
    span = key_span(name, now=NOW, zone=HANOI)
    assert (span.grain, len(span.buckets), span.buckets[-1]) == (Grain.DAY, n_days, date(2026, 11, 23))


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "Asia/Kolkata", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("month", range(1, 13))
def test_24_hours_are_the_one_under_way_and_the_23_before_it(zone: str, month: int) -> None:
    now = datetime(2026, month, 25, 17, 50, tzinfo=UTC)
    span = key_span(KeyPeriod.DAY, now=now, zone=ZoneInfo(zone))
    hours = [bucket for bucket in span.buckets if isinstance(bucket, datetime)]
    assert span.grain is Grain.HOUR
    assert hours == [hours[0] + n * timedelta(hours=1) for n in range(24)]
    assert hours[-1] <= now < hours[-1] + timedelta(hours=1)


def test_24_hours_leave_out_what_was_before_them() -> None:
    span = key_span(KeyPeriod.DAY, now=NOW, zone=HANOI)
    first = span.buckets[0]
    assert isinstance(first, datetime)
    assert [span.holds(row(first + timedelta(hours=n))) for n in (-1, 0, 1)] == [False, True, True]


def row(
    bucket: date | datetime, service_id: int | None = 1, outcome: Outcome = Outcome.ALLOWED, n: int = 1
) -> UsageRow:
    return UsageRow(bucket, service_id, outcome, n, n, 0)


def test_chart_tells_allowed_from_refused_and_parts_of_maps_apart() -> None:
    span = key_span(KeyPeriod.WEEK, now=NOW, zone=HANOI)
    today = date(2026, 11, 23)
    rows = [
        row(today - timedelta(days=6), n=2),
        row(today, n=3),
        row(today, 2, n=50),
        row(today, 1, Outcome.DAILY_QUOTA, n=4),
        row(today, None, Outcome.SERVICE_UNKNOWN, n=5),
    ]
    chart = key_chart(rows, span=span, services=SERVICES, labels=LABELS, zone=HANOI)
    assert [(series.label, series.values, series.is_off) for series in chart.series] == [
        ("Allowed", [2, 0, 0, 0, 0, 0, 3], False),
        ("Parts", [0, 0, 0, 0, 0, 0, 50], True),
        ("Refused", [0, 0, 0, 0, 0, 0, 9], False),
    ]
    assert sum(series.total for series in chart.series) == sum(each.n_requests for each in rows)


def test_parts_are_drawn_where_they_are_all_there_is() -> None:
    span = key_span(KeyPeriod.WEEK, now=NOW, zone=HANOI)
    chart = key_chart([row(date(2026, 11, 23), 2)], span=span, services=SERVICES, labels=LABELS, zone=HANOI)
    assert [series.is_off for series in chart.series] == [False]
