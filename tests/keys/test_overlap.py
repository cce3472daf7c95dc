from __future__ import annotations

from datetime import timedelta

import pytest

from keys.overlap import Overlap, Quiet, overlap_ends_at, successor_expires_at
from tests.factories import T0

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("overlap", "left", "lasts"),
    [
        (Overlap.NONE, None, timedelta(0)),
        (Overlap.HOUR, None, HOUR),
        (Overlap.DAY, None, DAY),
        (Overlap.WEEK, None, 7 * DAY),
        (Overlap.WEEK, 8 * DAY, 7 * DAY),
        (Overlap.WEEK, 2 * DAY, 2 * DAY),
        (Overlap.HOUR, timedelta(minutes=1), timedelta(minutes=1)),
    ],
)
def test_overlap_never_outlasts_the_old_key(overlap: Overlap, left: timedelta | None, lasts: timedelta) -> None:
    assert overlap_ends_at(T0, overlap, None if left is None else T0 + left) == T0 + lasts


def test_quiet_time_is_none_or_some() -> None:
    assert [quiet.length for quiet in Quiet] == [None, HOUR, DAY]


@pytest.mark.parametrize(
    ("created_ago", "expires_in", "lives"),
    [(60 * DAY, 30 * DAY, 90 * DAY), (timedelta(0), HOUR, HOUR), (90 * DAY, -100 * DAY, timedelta(0))],
)
def test_successor_lives_as_long_as_the_old_key_was_given(
    created_ago: timedelta, expires_in: timedelta, lives: timedelta
) -> None:
    assert successor_expires_at(T0, T0 - created_ago, T0 + expires_in) == T0 + lives


def test_successor_of_a_key_without_expiry_has_none() -> None:
    assert successor_expires_at(T0, T0, None) is None
