from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goongdash.lib.periods import PeriodError, day_of, day_start
from stats.periods import (
    EARLIEST_DAY,
    MAX_DAYS,
    Grain,
    Period,
    buckets,
    custom_period,
    hour_of,
    hours,
)
from tests.factories import T0

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
# Clocks that change by an hour, by half of one, at midnight, never, and by a whole day.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Asia/Ho_Chi_Minh",
        "America/New_York",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "UTC",
    )
]
zones = st.sampled_from(ZONES)
some_days = st.dates(date(2005, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("first", "last", "grain"),
    [
        (date(2026, 11, 23), date(2026, 11, 23), Grain.HOUR),
        (date(2026, 11, 22), date(2026, 11, 23), Grain.HOUR),
        (date(2026, 11, 21), date(2026, 11, 23), Grain.DAY),
    ],
)
def test_up_to_two_days_are_cut_by_hour(first: date, last: date, grain: Grain) -> None:
    assert Period(first, last).grain is grain


def test_custom_period_is_what_was_asked_for() -> None:
    period = custom_period(date(2026, 11, 1), date(2026, 11, 20), now=T0, zone=HANOI)
    assert period == Period(date(2026, 11, 1), date(2026, 11, 20))


def test_custom_period_refuses_a_first_day_after_the_last() -> None:
    with pytest.raises(PeriodError, match="20 Nov 2026, is after the last one, 1 Nov 2026"):
        custom_period(date(2026, 11, 20), date(2026, 11, 1), now=T0, zone=HANOI)


@pytest.mark.parametrize("last", [date.min, date(1, 3, 1), date(1969, 12, 31)])
def test_custom_period_refuses_a_time_before_all_usage(last: date) -> None:
    with pytest.raises(PeriodError, match=f"{last.day} [A-Z][a-z]+ {last.year:04} is too long ago"):
        custom_period(date.min, last, now=T0, zone=HANOI)


@pytest.mark.parametrize("last", [date(1970, 1, 1), date.max])
def test_custom_period_from_the_earliest_date_has_bounds_in_any_zone(last: date) -> None:
    for zone in (HANOI, ZoneInfo("America/Los_Angeles")):
        start, end = custom_period(date.min, last, now=T0, zone=zone).bounds(zone)
        assert start < end


def test_custom_period_refuses_a_time_to_come() -> None:
    with pytest.raises(PeriodError, match="24 Nov 2026 has not begun yet: today is 23 Nov 2026"):
        custom_period(date(2026, 11, 24), date(2026, 11, 25), now=T0, zone=HANOI)


def test_custom_period_ends_today_and_says_so() -> None:
    period = custom_period(date(2026, 11, 20), date(9999, 12, 31), now=T0, zone=HANOI)
    assert (period.first, period.last) == (date(2026, 11, 20), date(2026, 11, 23))
    assert "31 Dec 9999 is still to come" in period.notice


def test_custom_period_of_centuries_is_cut_and_says_so() -> None:
    period = custom_period(date(1626, 11, 20), date(2026, 11, 20), now=T0, zone=HANOI)
    assert (period.last, period.n_days) == (date(2026, 11, 20), MAX_DAYS)
    assert f"{MAX_DAYS} days at the most" in period.notice


@given(st.dates(), st.dates(), zones)
def test_custom_period_either_lies_within_what_was_asked_for_or_is_refused(
    first: date, last: date, zone: ZoneInfo
) -> None:
    try:
        period = custom_period(first, last, now=T0, zone=zone)
    except PeriodError:
        assert first > last or first > day_of(T0, zone) or last < EARLIEST_DAY
        return
    assert first <= period.first <= period.last <= last
    assert period.n_days <= MAX_DAYS
    assert period.bounds(zone)[0] < period.bounds(zone)[1]
    assert bool(period.notice) == ((period.first, period.last) != (first, last))


def test_a_day_has_24_hours_and_when_clocks_change_23_or_25() -> None:
    new_york = ZoneInfo("America/New_York")
    assert len(list(hours(date(2026, 11, 23), date(2026, 11, 23), HANOI))) == 24
    assert len(list(hours(date(2026, 3, 8), date(2026, 3, 8), new_york))) == 23
    assert len(list(hours(date(2026, 11, 1), date(2026, 11, 1), new_york))) == 25


@given(some_days, st.integers(0, 1), zones)
def test_hours_rise_and_none_is_there_twice(first: date, n_more: int, zone: ZoneInfo) -> None:
    found = list(hours(first, first + timedelta(days=n_more), zone))
    assert found == sorted(set(found))


@given(some_days, st.integers(0, 2 * 86_400 - 1), zones)
def test_every_instant_of_a_period_is_in_one_of_its_hours(first: date, second: int, zone: ZoneInfo) -> None:
    period = Period(first, first + timedelta(days=1))
    start, end = period.bounds(zone)
    instant = start + timedelta(seconds=second)
    if instant < end:
        assert hour_of(instant, zone) in buckets(period, grain=Grain.HOUR, zone=zone)


@given(some_days, st.integers(0, 40), zones)
def test_every_day_of_a_period_is_one_bucket(first: date, n_more: int, zone: ZoneInfo) -> None:
    period = Period(first, first + timedelta(days=n_more))
    found = buckets(period, grain=Grain.DAY, zone=zone)
    assert found == [first + timedelta(days=n) for n in range(n_more + 1)]


def test_a_period_is_half_open() -> None:
    start, end = Period(date(2026, 11, 22), date(2026, 11, 23)).bounds(HANOI)
    assert start == day_start(date(2026, 11, 22), HANOI)
    assert end == datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
