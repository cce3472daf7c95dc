"""What a month will have cost when it ends, and what that estimate rests on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from goongdash.lib.periods import Month, days

# A week holds each day of the week once.
BASIS_DAYS = 7


@dataclass(frozen=True, slots=True)
class Forecast:
    """In micro-dollars: the month's spending at its end, of which `daily` is the mean of `n_days` whole days."""

    month_end_micro_usd: int
    daily_micro_usd: int
    n_days: int
    n_days_left: int


def month_forecast(*, spent_by_day: Mapping[date, int], today: date) -> Forecast | None:
    """What is spent so far, and the mean of the last whole days for each day that is still to come.

    The days are the last seven before today, in whichever month, or those since the first use where that is less
    long ago: the days that nothing was used count as well. Today counts at least what it has come to already. None
    where not one whole day is known.
    """
    first = min((day for day, spent in spent_by_day.items() if spent), default=today)
    basis = [day for day in days(today - timedelta(days=BASIS_DAYS), today - timedelta(days=1)) if day >= first]
    if not basis:
        return None
    month = Month.of(today)
    daily = sum(spent_by_day.get(day, 0) for day in basis) // len(basis)
    before = sum(spent for day, spent in spent_by_day.items() if month.first_day <= day < today)
    n_left = (month.last_day - today).days
    total = before + max(spent_by_day.get(today, 0), daily) + n_left * daily
    return Forecast(total, daily, len(basis), n_left)
