"""A key's own month and spend cap, and its account's budget, in the counting script."""

from __future__ import annotations

import pytest

from gate.snapshot import OwnLimits, Used
from gate.specs import NO_LIMIT
from stats.outcomes import Outcome
from stats.stream import redis_client, shard_prefix
from tests.gate.test_counting_script import GEOCODE, STATIC, count, snapshot, today

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("stored", "left"), [(0, 3), (2, 3), (8, 1)])
def test_own_counter_goes_on_from_the_store_or_the_rollups_whichever_knows_more(stored: int, left: int) -> None:
    """The store keeps it only while the key has limits for it: they may be set in mid-month, or set again."""
    month = today()[1]
    own = OwnLimits(requests_per_month=10, spend_cap_micro_usd=100_000)
    if stored:
        count([(snapshot(own=own), GEOCODE, None)] * stored)
    key = snapshot(own=own, used=Used(month=month, n_key_this_month=6, key_spent_micro_usd=30_000))
    (verdict,) = count([(key, GEOCODE, None)])
    assert verdict.left_own == left


def test_key_of_the_same_account_without_own_limits_is_not_held_to_them() -> None:
    month = today()[1]
    key, other = snapshot(own=OwnLimits(1, 5_000)), snapshot(key_id=8)
    verdicts = count([(key, GEOCODE, None), (key, GEOCODE, None), (other, GEOCODE, None), (other, STATIC, None)])
    outcomes = [verdict.outcome for verdict in verdicts]
    assert outcomes == [Outcome.ALLOWED, Outcome.MONTHLY_QUOTA, Outcome.ALLOWED, Outcome.ALLOWED]
    assert [verdict.left_own for verdict in verdicts] == [0, 0, NO_LIMIT, NO_LIMIT]
    fields = redis_client().hkeys(f"{shard_prefix(0)}month:{month}")
    assert sorted(fields) == [b"3", b"k7"]


def test_budget_holds_for_all_keys_of_the_account_together() -> None:
    budget = OwnLimits(budget_micro_usd=10_000)
    keys = [snapshot(key_id=number, own=budget) for number in (7, 8, 9)]
    verdicts = count([(key, GEOCODE, None) for key in keys] + [(keys[0], STATIC, None)])
    outcomes = [verdict.outcome for verdict in verdicts]
    assert outcomes == [Outcome.ALLOWED, Outcome.ALLOWED, Outcome.ACCOUNT_BUDGET, Outcome.ALLOWED]
