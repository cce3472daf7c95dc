"""Instants and microseconds are the same thing written twice, exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goongdash.lib.clock import from_epoch_us, to_epoch_us, utc_now

INSTANTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 — the strategy puts the zone on.
    datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)


@given(INSTANTS)
def test_instant_survives_as_microseconds_whatever_its_zone(instant: datetime) -> None:
    assert from_epoch_us(to_epoch_us(instant)) == instant.astimezone(UTC)


@given(st.integers(-(10**15), 10**17))
def test_microseconds_survive_as_instant(epoch_us: int) -> None:
    instant = from_epoch_us(epoch_us)

    assert to_epoch_us(instant) == epoch_us
    assert instant.tzinfo is UTC


@given(INSTANTS, INSTANTS)
def test_order_and_distance_are_kept(one: datetime, other: datetime) -> None:
    distance = other.astimezone(UTC) - one.astimezone(UTC)

    assert to_epoch_us(other) - to_epoch_us(one) == distance // timedelta(microseconds=1)


def test_naive_instant_is_refused() -> None:
    with pytest.raises(TypeError):
        to_epoch_us(datetime(2026, 11, 23))  # noqa: DTZ001 — that is the point.


def test_other_zones_count_from_the_same_epoch() -> None:
    assert to_epoch_us(datetime(1970, 1, 1, 7, tzinfo=timezone(timedelta(hours=7)))) == 0
    assert to_epoch_us(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_now_is_aware_and_in_utc() -> None:
    assert utc_now().tzinfo is UTC
