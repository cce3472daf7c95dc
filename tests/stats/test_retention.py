from __future__ import annotations

from datetime import date

import pytest

from stats.retention import hours_from, minutes_from, records_from

TODAY = date(2026, 11, 23)


def test_minutes_of_today_and_of_two_whole_days_are_kept() -> None:
    assert minutes_from(TODAY) == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (TODAY, date(2025, 10, 1)),
        (date(2026, 11, 1), date(2025, 10, 1)),
        (date(2026, 12, 31), date(2025, 11, 1)),
        (date(2027, 1, 1), date(2025, 12, 1)),
    ],
)
def test_hours_of_thirteen_whole_months_are_kept(today: date, first: date) -> None:
    assert hours_from(today) == first


def test_records_are_kept_for_as_many_whole_days_as_the_setting_says() -> None:
    assert records_from(TODAY, 35) == date(2026, 10, 19)
