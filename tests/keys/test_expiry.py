from __future__ import annotations

from datetime import timedelta

import pytest

from keys.expiry import days_until, expiry_stage
from tests.factories import T0

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("left", "stage"),
    [
        (31 * DAY, None),
        (30 * DAY + SECOND, None),
        (30 * DAY, 30),
        (7 * DAY + SECOND, 30),
        (7 * DAY, 7),
        (1 * DAY + SECOND, 7),
        (1 * DAY, 1),
        (SECOND, 1),
        (timedelta(0), None),
        (-DAY, None),
    ],
)
def test_latest_stage_that_has_come_is_due(left: timedelta, stage: int | None) -> None:
    assert expiry_stage(now=T0, created_at=T0 - 90 * DAY, expires_at=T0 + left) == stage


@pytest.mark.parametrize(("lives", "stages"), [(10 * DAY, {None, 7, 1}), (30 * DAY, {None, 7, 1}), (DAY, {None})])
def test_who_makes_a_key_for_some_days_is_not_told_so(lives: timedelta, stages: set[int | None]) -> None:
    hours = range(int(lives / timedelta(hours=1)))
    told = {expiry_stage(now=T0 + n * timedelta(hours=1), created_at=T0, expires_at=T0 + lives) for n in hours}
    assert told == stages


@pytest.mark.parametrize(("left", "days"), [(SECOND, 1), (DAY, 1), (DAY + SECOND, 2), (7 * DAY, 7)])
def test_days_left_count_the_one_that_has_begun(left: timedelta, days: int) -> None:
    assert days_until(T0, T0 + left) == days
