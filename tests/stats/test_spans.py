from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goongdash.lib.periods import day_of
from stats.forms import SPAN_LABELS
from stats.periods import Grain
from stats.spans import Span, SpanName, by_day, custom_span, named_span
from tests.factories import T0
from tests.stats.test_periods import HANOI, zones

MINUTE, HOUR, DAY, MONTH = Grain


@pytest.mark.parametrize(
    ("name", "first", "last", "grains"),
    [
        (SpanName.TODAY, date(2026, 11, 23), date(2026, 11, 23), (HOUR,)),
        (SpanName.YESTERDAY, date(2026, 11, 22), date(2026, 11, 22), (HOUR,)),
        (SpanName.WEEK, date(2026, 11, 17), date(2026, 11, 23), (DAY, HOUR)),
        (SpanName.THIRTY_DAYS, date(2026, 10, 25), date(2026, 11, 23), (DAY, HOUR)),
        (SpanName.NINETY_DAYS, date(2026, 8, 26), date(2026, 11, 23), (DAY, MONTH)),
        (SpanName.THIS_MONTH, date(2026, 11, 1), date(2026, 11, 23), (DAY, HOUR)),
        (SpanName.LAST_MONTH, date(2026, 10, 1), date(2026, 10, 31), (DAY, HOUR)),
        (SpanName.CUSTOM, date(2026, 11, 17), date(2026, 11, 23), (DAY, HOUR)),
    ],
)
def test_named_days_and_how_finely_they_may_be_cut(
    name: SpanName, first: date, last: date, grains: tuple[Grain, ...]
) -> None:
    span = named_span(name, now=T0, zone=HANOI)
    assert (span.days.first, span.days.last, span.grains) == (first, last, grains)
    assert (span.start, span.end) == span.days.bounds(HANOI)


def test_last_hour_is_sixty_minutes_with_the_one_under_way() -> None:
    now = T0 + timedelta(minutes=12, seconds=34)
    span = named_span(SpanName.HOUR, now=now, zone=HANOI)
    assert span.end - span.start == timedelta(hours=1)
    assert span.end == T0 + timedelta(minutes=13)
    assert span.grains == (MINUTE,)


def test_24_hours_are_those_of_the_zone_with_the_one_under_way() -> None:
    # Kathmandu's hours begin at a quarter past those of UTC.
    now = datetime(2026, 11, 23, 3, 20, tzinfo=UTC)
    span = named_span(SpanName.DAY, now=now, zone=ZoneInfo("Asia/Kathmandu"))
    assert span.end == datetime(2026, 11, 23, 4, 15, tzinfo=UTC)
    assert span.end - span.start == timedelta(hours=24)
    assert (span.days.first, span.days.last) == (date(2026, 11, 22), date(2026, 11, 23))


def test_long_spans_are_cut_by_month_first() -> None:
    span = custom_span(date(2026, 1, 1), date(2026, 11, 23), now=T0, zone=HANOI)
    assert span.grains == (MONTH, DAY)


def test_what_is_known_by_the_day_takes_the_whole_days_of_a_span() -> None:
    span = by_day(named_span(SpanName.DAY, now=T0, zone=HANOI), HANOI)
    assert span.grains == (DAY,)
    assert (span.start, span.end) == span.days.bounds(HANOI)
    assert span.days.n_days == 2


def test_every_name_has_a_label() -> None:
    assert set(SPAN_LABELS) == set(SpanName)


@given(st.integers(1_100_000_000, 1_900_000_000), st.sampled_from(SpanName), zones)
def test_named_span_holds_now_or_ends_before_it_and_never_begins_later(
    epoch_s: int, name: SpanName, zone: ZoneInfo
) -> None:
    now = datetime.fromtimestamp(epoch_s, UTC)
    span: Span = named_span(name, now=now, zone=zone)
    assert span.start < span.end
    assert span.start <= now
    assert span.holds(now) == (name not in {SpanName.YESTERDAY, SpanName.LAST_MONTH})
    assert span.days.last <= day_of(now, zone)
