from __future__ import annotations

import pytest

from accounts.models import CreditPeriod, Plan
from accounts.plan_rows import plan_row


def make_plan(**overrides: object) -> Plan:
    return Plan(**{"slug": "free", "name": "Free", "rate_limit": 5, **overrides})


@pytest.mark.parametrize(
    ("limit", "window_s", "text"),
    [
        (5, 1, "5 a second"),
        (300, 60, "300 a minute"),
        (9_000, 3_600, "9,000 an hour"),
        (50, 10, "50 in 10 seconds"),
    ],
)
def test_rate_is_said_as_people_say_it(limit: int, window_s: int, text: str) -> None:
    assert plan_row(make_plan(rate_limit=limit, rate_window_s=window_s)).rate == text


def test_limit_that_is_not_set_is_none() -> None:
    row = plan_row(make_plan())
    assert (row.requests_per_day, row.requests_per_month, row.map_loads_per_month) == ("Unlimited",) * 3
    assert (row.deposit, row.credit, row.is_current) == ("None", "None", False)


@pytest.mark.parametrize(
    ("credit_micro_usd", "period", "text"),
    [
        (100_000_000, CreditPeriod.MONTHLY, "$100 a month"),
        (100_000_000, CreditPeriod.ONCE, "$100 once"),
        (12_500_000, CreditPeriod.MONTHLY, "$12.50 a month"),
    ],
)
def test_credit_is_in_dollars_with_its_period(credit_micro_usd: int, period: CreditPeriod, text: str) -> None:
    assert plan_row(make_plan(credit_micro_usd=credit_micro_usd, credit_period=period)).credit == text
