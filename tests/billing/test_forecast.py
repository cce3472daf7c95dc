from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.forecast import month_forecast

TODAY = date(2026, 11, 23)


def day(n: int) -> date:
    return TODAY - timedelta(days=n)


def test_mean_of_a_week_stands_for_each_day_to_come() -> None:
    spent = {day(n): 700 for n in range(1, 8)} | {day(20): 5_000, TODAY: 100}
    forecast = month_forecast(spent_by_day=spent, today=TODAY)
    assert forecast is not None
    assert (forecast.daily_micro_usd, forecast.n_days, forecast.n_days_left) == (700, 7, 7)
    # What was spent before today, today as a usual day, and seven more.
    assert forecast.month_end_micro_usd == 7 * 700 + 5_000 + 700 + 7 * 700


def test_days_without_use_count_and_those_before_the_first_use_do_not() -> None:
    forecast = month_forecast(spent_by_day={day(4): 1_000, TODAY: 1}, today=TODAY)
    assert forecast is not None
    assert (forecast.n_days, forecast.daily_micro_usd) == (4, 250)


def test_today_is_what_it_has_come_to_already_at_least() -> None:
    forecast = month_forecast(spent_by_day={day(1): 10, TODAY: 5_000}, today=TODAY)
    assert forecast is not None
    assert forecast.month_end_micro_usd == 10 + 5_000 + 7 * 10


def test_basis_may_lie_in_the_month_before_whose_spending_is_no_part_of_this_one_s() -> None:
    first = date(2026, 11, 1)
    forecast = month_forecast(spent_by_day={date(2026, 10, 31): 70, date(2026, 10, 25): 70}, today=first)
    assert forecast is not None
    assert (forecast.n_days, forecast.daily_micro_usd) == (7, 20)
    assert forecast.month_end_micro_usd == 20 * 30


def test_without_a_whole_day_of_use_nothing_is_foretold() -> None:
    assert month_forecast(spent_by_day={}, today=TODAY) is None
    assert month_forecast(spent_by_day={TODAY: 900}, today=TODAY) is None


@given(st.lists(st.integers(0, 10**12), max_size=23))
def test_a_month_never_ends_below_what_is_spent(by_day: list[int]) -> None:
    spent = {day(n): micro_usd for n, micro_usd in enumerate(by_day)}
    forecast = month_forecast(spent_by_day=spent, today=TODAY)
    assert forecast is None or forecast.month_end_micro_usd >= sum(spent.values())
