"""What the counting script charges where volume, or a coming day, decides it: the price book's own sums."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from billing.pricing import PriceOn, Tier, Tiers, month_lines
from gate.snapshot import Credit, ServicePrice, Used
from goongdash.lib.clock import to_epoch_us, utc_now
from goongdash.lib.periods import day_of
from stats.events import decode_entry
from stats.outcomes import Outcome
from stats.stream import redis_client, shard_prefix, stream_key
from tests.billing.tiers import tiers_of
from tests.gate.test_counting_script import GEOCODE, SEARCH, STATIC, count, snapshot, today

pytestmark = pytest.mark.django_db


def costs() -> list[int]:
    """What all requests so far cost, as their events say."""
    entries: Any = redis_client().xrange(stream_key(0))
    return [event.cost_micro_usd for _, fields in entries for event in decode_entry(fields).events]


def test_volume_of_the_account_decides_what_a_request_costs() -> None:
    """Two free, two at 5,000, then 4,000: whichever of the account's keys they come from."""
    tiers = {GEOCODE.id: ServicePrice(Tiers((Tier(0, 0), Tier(2, 5_000), Tier(4, 4_000))))}
    keys = [snapshot(key_id=number, tiered=tiers) for number in (7, 8)]
    count([(keys[n % 2], GEOCODE, None) for n in range(3)])
    count([(keys[1], GEOCODE, None), (keys[0], STATIC, None), (keys[0], GEOCODE, None), (keys[1], GEOCODE, None)])
    count([(snapshot(key_id=9, account_id=4, tiered=tiers), GEOCODE, None)])
    assert costs() == [0, 0, 5_000, 5_000, 0, 4_000, 4_000, 0]
    packed: Any = redis_client().hget(f"{shard_prefix(0)}month:{today()[1]}", "u3:6")
    assert int.from_bytes(packed) == 6


def test_price_changes_at_its_instant_and_volume_counts_on() -> None:
    now_us = to_epoch_us(utc_now())
    before, after = Tiers((Tier(0, 9), Tier(1, 8))), Tiers((Tier(0, 7), Tier(3, 6)))
    for from_us in (now_us + 3_600_000_000, now_us - 1):
        key = snapshot(tiered={GEOCODE.id: ServicePrice(before, after, from_us)})
        count([(key, GEOCODE, None)] * 2)
    assert costs() == [9, 8, 7, 6]


def test_flat_price_that_is_about_to_change_keeps_no_count_of_units() -> None:
    now_us = to_epoch_us(utc_now())
    for from_us in (now_us + 3_600_000_000, now_us - 1):
        key = snapshot(tiered={GEOCODE.id: ServicePrice(Tiers.flat(9), Tiers.flat(7), from_us)})
        count([(key, GEOCODE, None)])
    assert costs() == [9, 7]
    assert redis_client().hkeys(f"{shard_prefix(0)}month:{today()[1]}") == [b"3"]


def test_request_of_many_units_costs_each_of_them_and_counts_once_against_the_limits() -> None:
    matrix = replace(GEOCODE, unit="element")
    key = snapshot(requests_per_day=10, prices={matrix.id: 3})
    (verdict,) = count([(key, matrix, None)], units=25)
    assert (verdict.outcome, verdict.left_day) == (Outcome.ALLOWED, 9)
    tiers = ServicePrice(Tiers((Tier(0, 10), Tier(20, 1))))
    count([(snapshot(tiered={matrix.id: tiers}), matrix, None)], units=25)
    count([(snapshot(tiered={matrix.id: tiers}), matrix, None)], units=25)
    assert costs() == [75, 205, 25]
    entries: Any = redis_client().xrange(stream_key(0))
    assert [event.units for _, fields in entries for event in decode_entry(fields).events] == [25] * 3


def test_request_that_the_credit_refuses_moves_no_volume() -> None:
    tiers = {GEOCODE.id: ServicePrice(Tiers((Tier(0, 10), Tier(1, 50), Tier(2, 5))))}
    key = snapshot(tiered=tiers, credit=Credit(today()[1], 40, 0, 0))
    verdicts = count([(key, GEOCODE, None)] * 3)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ALLOWED] + [Outcome.CREDIT_EXHAUSTED] * 2
    assert costs() == [10, 0, 0]


def test_what_a_session_covers_is_no_volume() -> None:
    tiers = {SEARCH.id: ServicePrice(Tiers((Tier(0, 9), Tier(1, 8))))}
    key = snapshot(tiered=tiers)
    for token in ("a", "a", "b", "b", ""):
        count([(key, SEARCH, None)], token=token)
    assert costs() == [9, 0, 8, 0, 8]


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tiers=tiers_of(),
    base=st.integers(0, 30),
    batches=st.lists(st.lists(st.tuples(st.integers(7, 9), st.integers(1, 12)), min_size=1, max_size=6), max_size=5),
)
def test_script_charges_what_the_price_book_says_to_the_micro_dollar(
    tiers: Tiers, base: int, batches: list[list[tuple[int, int]]]
) -> None:
    """Each request by itself, in whatever order and from whichever key, and the month as a whole."""
    redis_client().delete(*redis_client().keys(f"{settings.REDIS_PREFIX}:*"), "none")
    matrix = replace(GEOCODE, unit="element")
    used = Used(month=today()[1], units={matrix.id: base})
    volume = base
    expected = []
    for batch in batches:
        for key_id, units in batch:
            key = snapshot(key_id=key_id, tiered={matrix.id: ServicePrice(tiers)}, used=used)
            count([(key, matrix, None)], units=units)
            expected.append(tiers.cost(volume, volume + units))
            volume += units
    assert costs() == expected
    assert sum(costs()) == tiers.cost(base, volume)
    day = day_of(utc_now(), settings.BILLING_ZONE)
    book = [PriceOn(matrix.id, day, tiers.tiers[0].price_micro_usd, tiers.tiers[1:])]
    lines = month_lines(matrix.id, [(day, volume)], book)
    assert sum(line.cost_micro_usd for line in lines) == tiers.cost(0, base) + sum(costs())
