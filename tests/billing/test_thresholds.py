from __future__ import annotations

import pytest

from billing.thresholds import USUAL_PERCENTS, percent_reached


@pytest.mark.parametrize(
    ("spent", "limit", "is_refused", "reached"),
    [
        (0, 100, False, None),
        (49, 100, False, None),
        (50, 100, False, 50),
        (79, 100, False, 50),
        (80, 100, False, 80),
        (99, 100, False, 80),
        (100, 100, False, 100),
        (250, 100, False, 100),
        # What is left is less than the next request costs.
        (99, 100, True, 100),
        # A dear request was refused long before, under another budget or before a deposit.
        (60, 100, True, 50),
        # Nothing may be spent, and that was wanted.
        (5, 0, True, None),
        (5, -7, False, None),
    ],
)
def test_highest_threshold_that_is_reached(spent: int, limit: int, is_refused: bool, reached: int | None) -> None:
    found = percent_reached(
        spent_micro_usd=spent, limit_micro_usd=limit, percents=USUAL_PERCENTS, is_refused=is_refused
    )
    assert found == reached


def test_without_thresholds_none_is_reached() -> None:
    assert percent_reached(spent_micro_usd=9, limit_micro_usd=9, percents=(), is_refused=True) is None
