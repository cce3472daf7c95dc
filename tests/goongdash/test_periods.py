"""Days and months cover time without gap or overlap in every zone, also where clocks skip or repeat midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goongdash.lib.periods import Month, PeriodError, day_number, day_of, day_start, days

# Santiago, Asunción, Beirut and Cairo change their clocks at midnight, Havana repeats the hour after it, Lord
# Howe changes by half an hour, Kolkata and Kathmandu are no whole hours from UTC, Apia left out a day.
ZONES = st.sampled_from(
    [
        "Asia/Ho_Chi_Minh",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "America/Santiago",
        "America/Asuncion",
        "America/Havana",
        "America/New_York",
        "Asia/Beirut",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "UTC",
    ]
).map(ZoneInfo)
DAYS = st.dates(date(1971, 1, 1), date(2100, 1, 1))
INSTANTS = st.datetimes(datetime(1971, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MONTHS = st.builds(Month, st.integers(1970, 9998), st.integers(1, 12))

SANTIAGO, HAVANA = ZoneInfo("America/Santiago"), ZoneInfo("America/Havana")


@given(INSTANTS, ZONES)
@example(datetime(2026, 9, 6, 4, 0, tzinfo=UTC), SANTIAGO)
@example(datetime(2026, 9, 6, 3, 59, 59, tzinfo=UTC), SANTIAGO)
@example(datetime(2026, 11, 1, 4, 30, tzinfo=UTC), HAVANA)
@example(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), HAVANA)
def test_every_instant_lies_in_exactly_its_own_day(instant: datetime, zone: ZoneInfo) -> None:
    day = day_of(instant, zone)

    assert day_start(day, zone) <= instant < day_start(day + timedelta(days=1), zone)


@given(DAYS, ZONES)
def test_day_begins_with_an_instant_of_that_day_unless_the_zone_left_it_out(day: date, zone: ZoneInfo) -> None:
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)

    assert start.tzinfo is UTC
    if start == end:
        assert (str(zone), day) == ("Pacific/Apia", date(2011, 12, 30))
    else:
        assert day_of(start, zone) == day
        assert day_of(start - timedelta(microseconds=1), zone) < day


@given(MONTHS, ZONES)
def test_month_is_its_days_and_ends_where_the_next_begins(month: Month, zone: ZoneInfo) -> None:
    start, end = month.bounds(zone)

    assert start == day_start(month.first_day, zone)
    assert end == day_start(month.last_day + timedelta(days=1), zone) == month.next.bounds(zone)[0]
    assert {Month.of(day) for day in days(month.first_day, month.last_day)} == {month}


@given(MONTHS)
def test_month_is_read_as_it_is_written(month: Month) -> None:
    assert Month.parse(str(month)) == month
    assert month.next.previous == month == month.previous.next
    assert month.previous < month < month.next
    assert month.number == int(str(month).replace("-", ""))


@given(DAYS, st.integers(-3, 70))
def test_days_are_all_and_only_those_between(first: date, n: int) -> None:
    found = list(days(first, first + timedelta(days=n)))

    assert found == [first + timedelta(days=i) for i in range(n + 1)]


@given(DAYS, DAYS)
def test_day_numbers_sort_like_days(one: date, other: date) -> None:
    assert (day_number(one) < day_number(other)) == (one < other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "2026-1",
        "26-01",
        "2026-011",
        "2026/11",
        "2026-11-01",
        "١٩٩٩-٠١",
        "1969-12",
        "9999-01",
        "0000-01",
        "-2026-11",
        "2026-11\n2026-12",
        "November",
    ],
)
def test_what_is_no_month_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(PeriodError, match=r"month|out of range"):
        Month.parse(text)


@given(st.text(max_size=10))
def test_any_text_is_a_month_or_a_period_error(text: str) -> None:
    try:
        month = Month.parse(text)
    except PeriodError:
        return
    assert str(month) == text.strip()


def test_day_whose_midnight_is_skipped_begins_at_one() -> None:
    start = day_start(date(2026, 9, 6), SANTIAGO)

    assert start == datetime(2026, 9, 6, 4, 0, tzinfo=UTC)
    assert start.astimezone(SANTIAGO).hour == 1
    assert day_start(date(2026, 9, 7), SANTIAGO) - start == timedelta(hours=23)


def test_day_whose_midnight_comes_twice_begins_with_the_first() -> None:
    start = day_start(date(2026, 11, 1), HAVANA)

    assert start == datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    assert day_start(date(2026, 11, 2), HAVANA) - start == timedelta(hours=25)


def test_half_hour_zone_cuts_days_at_its_own_midnight() -> None:
    assert day_start(date(2026, 11, 23), ZoneInfo("Asia/Kolkata")) == datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
