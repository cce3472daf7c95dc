"""The judge of `make bench-exact` finds every kind of fault, and finds none where there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bench.exact.judge import Change, Decided, Judge, Judgement, Limits
from stats.outcomes import Outcome

LIMITS = Limits(rate=2, window_us=1_000_000, per_day=4, per_month=None, allowance_micro_usd=100)
DAY = date(2026, 11, 30)


def record(at_us: int, outcome: Outcome = Outcome.ALLOWED, **changes: object) -> Decided:
    cost = 10 if outcome is Outcome.ALLOWED else 0
    made = Decided(at_us, DAY, 1, 7, "10.0.0.1", outcome, price_micro_usd=10, cost_micro_usd=cost)
    return replace(made, **changes)  # type: ignore[arg-type]


def judged(*records: Decided, limits: Limits = LIMITS, change: Change | None = None) -> Judgement:
    return Judge({1: limits}, {} if change is None else {1: change}).judge(records)


def test_right_decisions_are_clean() -> None:
    found = judged(record(0), record(10), record(20, Outcome.RATE_LIMIT), record(1_000_000), record(1_000_010))
    assert found.is_clean
    assert found.outcomes == {Outcome.ALLOWED: 4, Outcome.RATE_LIMIT: 1}


def test_third_pass_within_a_window_is_an_overshoot() -> None:
    assert judged(record(0), record(10), record(999_999)).overshoots == {Outcome.RATE_LIMIT: 1}


def test_refusal_with_room_left_is_wrong_and_so_is_one_for_another_limit() -> None:
    assert judged(record(0), record(10, Outcome.RATE_LIMIT)).wrong_refusals == {Outcome.RATE_LIMIT: 1}
    assert judged(record(0), record(1), record(2, Outcome.DAILY_QUOTA)).wrong_refusals == {Outcome.DAILY_QUOTA: 1}


def test_quota_begins_anew_with_the_day() -> None:
    spread = [record(n * 1_000_000) for n in range(4)]
    next_day = record(9_000_000, on=date(2026, 12, 1))
    assert judged(*spread, record(8_000_000, Outcome.DAILY_QUOTA), next_day).is_clean
    assert judged(*spread, record(8_000_000)).overshoots == {Outcome.DAILY_QUOTA: 1}


def test_money_beyond_the_months_allowance_is_overspent() -> None:
    found = judged(record(0, price_micro_usd=70, cost_micro_usd=70), record(1, price_micro_usd=40, cost_micro_usd=40))
    assert (found.overspent_micro_usd, found.overshoots) == (10, {Outcome.CREDIT_EXHAUSTED: 1})


def test_both_plans_are_right_while_a_change_spreads_and_only_the_new_one_after() -> None:
    change = Change(since_us=5_000_000, until_us=6_000_000, after=replace(LIMITS, per_day=2))
    two = [record(0), record(1)]
    assert judged(*two, record(5_500_000), record(5_600_000, Outcome.DAILY_QUOTA), change=change).is_clean
    assert judged(*two, record(4_000_000, Outcome.DAILY_QUOTA), change=change).wrong_refusals.total() == 1
    assert judged(*two, record(6_500_000), change=change).overshoots == {Outcome.DAILY_QUOTA: 1}
