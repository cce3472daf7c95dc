from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from goongdash.lib.periods import day_start
from stats.periods import Grain
from stats.queries import Dimension, UsageQuery, minute_of
from tests.factories import T0

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR = timedelta(hours=1)


def query(start: datetime = T0, end: datetime = T0 + HOUR, grain: Grain = Grain.HOUR, **options: Any) -> UsageQuery:
    return UsageQuery(account_id=1, start=start, end=end, grain=grain, **options)


def test_a_period_that_ends_before_it_begins_is_no_query() -> None:
    with pytest.raises(ValueError, match="not before"):
        query(T0, T0)


@pytest.mark.parametrize("grain", [Grain.MINUTE, Grain.HOUR])
@pytest.mark.parametrize(
    "options",
    [
        {"group_by": Dimension.ORIGIN},
        {"group_by": Dimension.COUNTRY},
        {"origins": frozenset({"https://a.example"})},
        {"countries": frozenset({"VN"})},
    ],
)
def test_origins_and_countries_are_not_asked_for_by_less_than_a_day(grain: Grain, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="by the day"):
        query(grain=grain, **options)
    assert query(grain=Grain.DAY, **options).needs_origins


def test_buckets_are_every_minute_hour_day_or_month_that_is_touched() -> None:
    start, end = T0 + timedelta(seconds=30), T0 + timedelta(minutes=2, seconds=1)
    assert query(start, end, Grain.MINUTE).buckets(HANOI) == [T0 + timedelta(minutes=n) for n in range(3)]
    assert query(start, T0 + HOUR, Grain.HOUR).buckets(HANOI) == [T0]
    assert query(start, T0 + HOUR + timedelta(seconds=1), Grain.HOUR).buckets(HANOI) == [T0, T0 + HOUR]
    midnight = day_start(date(2026, 12, 1), HANOI)
    assert query(T0, midnight, Grain.DAY).buckets(HANOI)[-1] == date(2026, 11, 30)
    assert query(T0, midnight, Grain.MONTH).buckets(HANOI) == [date(2026, 11, 1)]
    assert query(T0, midnight + HOUR, Grain.MONTH).buckets(HANOI) == [date(2026, 11, 1), date(2026, 12, 1)]


def test_the_time_before_ends_where_the_query_begins_and_is_as_long() -> None:
    earlier = query().before(HANOI)
    assert (earlier.start, earlier.end) == (T0 - HOUR, T0)
    week = query(day_start(date(2026, 11, 16), HANOI), day_start(date(2026, 11, 23), HANOI), Grain.DAY)
    assert week.before(HANOI).days(HANOI) == (date(2026, 11, 9), date(2026, 11, 15))


def test_days_before_a_change_of_the_clocks_are_whole_days() -> None:
    zone = ZoneInfo("America/New_York")
    week = query(day_start(date(2026, 11, 2), zone), day_start(date(2026, 11, 9), zone), Grain.DAY)
    assert week.before(zone).start == day_start(date(2026, 10, 26), zone)


def test_a_minute_begins_on_its_full_minute() -> None:
    assert minute_of(datetime(2026, 11, 23, 10, 5, 59, 999_999, tzinfo=HANOI)) == datetime(
        2026, 11, 23, 3, 5, tzinfo=UTC
    )
