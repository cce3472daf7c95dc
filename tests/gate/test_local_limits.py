"""Limits in memory: the script's own rules and verdicts, exact in every window, and no more than a part each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from billing.pricing import Tier, Tiers
from gate import local_limits, local_rates, local_sessions
from gate.local_limits import Asked, LocalLimits
from gate.snapshot import Credit, KeySnapshot, OwnLimits, ServiceFacts, ServicePrice, Used
from gate.specs import Verdict, rate_name
from goongdash.lib.clock import to_epoch_us, utc_now
from stats.outcomes import Outcome
from stats.stream import redis_client, stream_key
from tests.billing.tiers import tiers_of
from tests.factories import T0
from tests.gate.snapshots import SNAPSHOT
from tests.gate.test_counting_script import (
    DETAIL,
    GEOCODE,
    MAP_LOAD,
    SEARCH,
    STATIC,
    TILE,
    count,
    limits,
    own_limits,
    snapshot,
    today,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW_US = to_epoch_us(T0)
SECOND_US = 1_000_000
DAY, MONTH = 20261123, 202611
KEY = replace(SNAPSHOT, rate_limit=10_000)


def asked(
    key: KeySnapshot = KEY,
    service: ServiceFacts | None = GEOCODE,
    refused: Outcome | None = None,
    caller: bytes = b"203.0.113.7",
    token: bytes = b"",
) -> Asked:
    return Asked(key, service, refused, rate_name(key, service) + caller, b"", token)


def outcomes(local: LocalLimits, one: Asked, n: int, now_us: int = NOW_US) -> list[Outcome]:
    return [local.decide(one, now_us).verdict.outcome for _ in range(n)]


def last_said() -> tuple[bytes, bytes, bytes]:
    """Whether the script has said of its last event that it is charged, and what it costs."""
    entries: Any = redis_client().xrevrange(stream_key(0), count=1)
    ((_, fields),) = entries
    is_charged: tuple[bytes, bytes, bytes] = fields[b"e"].split(b"\t")[1].partition(b":")
    return is_charged


MATRIX = replace(GEOCODE, id=30, unit="element")
OTHER_MATRIX = replace(STATIC, id=31, unit="element")
services = st.sampled_from([GEOCODE, STATIC, MAP_LOAD, TILE, SEARCH, SEARCH, DETAIL, MATRIX, OTHER_MATRIX, None])
tokens = st.sampled_from(["", "a", "b"])
refusals = st.sampled_from([None, None, None, Outcome.ORIGIN_NOT_ALLOWED, Outcome.KEY_REVOKED])


@pytest.mark.django_db
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    credit=st.integers(0, 60_000),
    day=limits,
    month=limits,
    loads=limits,
    rate=st.integers(1, 20),
    own=st.lists(own_limits, min_size=3, max_size=3),
    tiers=tiers_of(max_price=9_000),
    now_or_then=st.booleans(),
)
def test_memory_says_of_everything_what_the_script_says(
    data: st.DataObject,
    credit: int,
    day: int | None,
    month: int | None,
    loads: int | None,
    rate: int,
    own: list[OwnLimits | None],
    tiers: Tiers,
    now_or_then: bool,
) -> None:
    redis_client().delete(*redis_client().keys(f"{settings.REDIS_PREFIX}:*"), "none")
    number, this_month = today()
    then_us = to_epoch_us(utc_now()) + (3_600_000_000 if now_or_then else -1)
    tiered = {MATRIX.id: ServicePrice(tiers), SEARCH.id: ServicePrice(Tiers.flat(3_000), tiers, then_us)}
    keys = [
        snapshot(
            key_id=n,
            account_id=n % 2,
            credit=Credit(this_month, credit, 0, 0),
            rate_limit=rate,
            rate_window_s=3_600,
            requests_per_day=day,
            requests_per_month=month,
            map_loads_per_month=loads,
            used=Used(number, n, this_month, 2, 1, 5_000, n, n * 5_000, {MATRIX.id: 5}),
            own=own[n],
            tiered=tiered,
        )
        for n in range(3)
    ]
    local = LocalLimits(settings.BILLING_ZONE)
    calls = st.tuples(st.sampled_from(keys), services, refusals, tokens, st.integers(1, 9))
    for key, service, refused, token, units in data.draw(st.lists(calls, max_size=30)):
        units = units if service in (MATRIX, OTHER_MATRIX) else 1
        refused = refused or (Outcome.SERVICE_UNKNOWN if service is None else None)
        (said,) = count([(key, service, refused)], token=token, units=units)
        one = asked(key, service, refused, token=token.encode())._replace(units=units)
        decided = local.decide(one, to_epoch_us(utc_now()))
        assert decided.verdict._replace(wait_us=0) == said._replace(wait_us=0)
        assert (decided.verdict.wait_us > 0) == (said.wait_us > 0)
        charged, _, cost = last_said()
        assert decided.is_charged == (charged == b"1")
        if one.tells_cost and decided.is_charged:
            assert decided.price_micro_usd == int(cost)
        else:
            assert cost == b""


@given(
    passes=st.lists(st.tuples(st.integers(0, 700_000), st.sampled_from([b"a", b"b"])), max_size=80),
    limit=st.integers(1, 5),
)
def test_rate_is_exact_in_every_window_and_refuses_nobody_within_it(
    passes: list[tuple[int, bytes]], limit: int
) -> None:
    local, now_us = LocalLimits(ZONE), NOW_US
    passed: dict[bytes, list[int]] = defaultdict(list)
    key = replace(KEY, rate_limit=limit)
    for pause_us, caller in passes:
        now_us += pause_us
        verdict = local.decide(asked(key, caller=caller), now_us).verdict
        recent = [at for at in passed[caller] if at + SECOND_US > now_us]
        assert (verdict.outcome is Outcome.ALLOWED) == (len(recent) < limit)
        if verdict.outcome is Outcome.ALLOWED:
            passed[caller].append(now_us)
        else:
            assert verdict.wait_us == recent[-limit] + SECOND_US - now_us


def test_map_parts_are_held_to_500_a_second_and_count_against_nothing() -> None:
    local = LocalLimits(ZONE)
    key = replace(KEY, type="tiles", rate_limit=1, requests_per_day=0)
    said = outcomes(local, asked(key, TILE), 501)
    assert said == [Outcome.ALLOWED] * 500 + [Outcome.RATE_LIMIT]
    assert outcomes(local, asked(key, TILE), 1, NOW_US + SECOND_US) == [Outcome.ALLOWED]


def test_counting_begins_at_what_the_rollups_said_or_the_store_said_last() -> None:
    key = replace(KEY, requests_per_day=10, used=Used(DAY, n_key_today=4, month=MONTH))
    local = LocalLimits(ZONE)
    assert outcomes(local, asked(key), 7) == [Outcome.ALLOWED] * 6 + [Outcome.DAILY_QUOTA]

    local = LocalLimits(ZONE)
    local.learn(key, GEOCODE, Verdict(0, 4, 0, 3, 2), NOW_US)
    assert outcomes(local, asked(key), 3) == [Outcome.ALLOWED] * 2 + [Outcome.MONTHLY_QUOTA]
    local.learn(key, GEOCODE, Verdict(0, 4, 0, 1, 2), NOW_US)
    assert outcomes(local, asked(key), 2) == [Outcome.ALLOWED, Outcome.DAILY_QUOTA]


def test_own_month_begins_where_the_store_said_last_and_leaves_the_plan_s_alone() -> None:
    key = replace(KEY, own=OwnLimits(requests_per_month=10), used=Used(DAY, 0, MONTH, n_key_this_month=4))
    local = LocalLimits(ZONE)
    assert outcomes(local, asked(key), 7) == [Outcome.ALLOWED] * 6 + [Outcome.MONTHLY_QUOTA]
    local = LocalLimits(ZONE)
    local.learn(key, GEOCODE, Verdict(0, 4, 0, 900, 900, 2), NOW_US)
    assert outcomes(local, asked(key), 3) == [Outcome.ALLOWED] * 2 + [Outcome.MONTHLY_QUOTA]
    assert outcomes(local, asked(replace(KEY, key_id=8)), 1) == [Outcome.ALLOWED]


def test_verdict_taken_back_moves_no_volume() -> None:
    tiers = {MATRIX.id: ServicePrice(Tiers((Tier(0, 10), Tier(20, 1))))}
    key, local = replace(KEY, tiered=tiers, used=Used(DAY, 0, MONTH, units={MATRIX.id: 5})), LocalLimits(ZONE)
    one = asked(key, MATRIX)._replace(units=16)
    first = local.decide(one, NOW_US)
    local.take_back(one, first, NOW_US)
    assert [local.decide(one, NOW_US).price_micro_usd for _ in range(2)] == [151, 16]


def test_next_day_and_next_month_begin_anew() -> None:
    credit = Credit(MONTH, 5_000, 202612, 10_000)
    key = replace(KEY, requests_per_day=1, credit=credit, used=Used(DAY, 1, MONTH))
    local = LocalLimits(ZONE)
    assert outcomes(local, asked(key), 1) == [Outcome.DAILY_QUOTA]
    tomorrow = NOW_US + 86_400 * SECOND_US
    assert outcomes(local, asked(key), 2, tomorrow) == [Outcome.ALLOWED, Outcome.DAILY_QUOTA]
    day_after = tomorrow + 86_400 * SECOND_US
    assert outcomes(local, asked(key), 1, day_after) == [Outcome.CREDIT_EXHAUSTED]
    next_month = NOW_US + 10 * 86_400 * SECOND_US
    assert outcomes(local, asked(key), 1, next_month) == [Outcome.ALLOWED]


@given(n_processes=st.integers(1, 8), limit=st.integers(0, 40), used=st.integers(0, 50), credit=st.integers(0, 90_000))
def test_all_processes_together_give_no_more_than_was_left(
    n_processes: int, limit: int, used: int, credit: int
) -> None:
    key = replace(
        KEY,
        requests_per_day=limit,
        credit=Credit(MONTH, credit, 0, 0),
        used=Used(DAY, used, MONTH, used, 0, 5_000, used, 5_000),
        own=OwnLimits(limit, credit, credit),
    )
    allowed = sum(
        outcomes(LocalLimits(ZONE, n_processes), asked(key), 50).count(Outcome.ALLOWED) for _ in range(n_processes)
    )
    left = min(max(0, limit - used), max(0, credit - 5_000) // 5_000)
    assert left - n_processes < allowed <= left or (n_processes == 1 and allowed == left)


def test_verdict_taken_back_counts_against_nothing() -> None:
    prices = {SEARCH.id: 5_000, DETAIL.id: 5_000}
    key = replace(KEY, rate_limit=1, requests_per_day=1, requests_per_month=1, prices=prices)
    key = replace(key, credit=Credit(MONTH, 5_000, 0, 0), own=OwnLimits(1, 5_000, 5_000))
    local, one = LocalLimits(ZONE), asked(key, SEARCH, token=b"a")
    first = local.decide(one, NOW_US)
    local.take_back(one, first, NOW_US)
    assert local.decide(one, NOW_US) == first
    assert (first.verdict.outcome, first.is_charged, first.price_micro_usd) == (Outcome.ALLOWED, True, 5_000)
    assert outcomes(local, asked(key), 1) == [Outcome.RATE_LIMIT]


def test_session_is_charged_once_until_its_detail_and_not_after_it_has_been_quiet_for_long() -> None:
    local = LocalLimits(ZONE)
    key = replace(KEY, prices={SEARCH.id: 3_000, DETAIL.id: 5_000})

    def charged(service: ServiceFacts, now_us: int = NOW_US, token: bytes = b"a") -> int:
        return local.decide(asked(key, service, token=token), now_us).price_micro_usd

    assert [charged(SEARCH) for _ in range(3)] == [3_000, 0, 0]
    assert [charged(DETAIL), charged(DETAIL), charged(SEARCH)] == [0, 5_000, 3_000]
    assert [charged(SEARCH, token=b""), charged(SEARCH, token=b"")] == [3_000] * 2
    assert [charged(SEARCH, token=b"b"), charged(SEARCH, NOW_US + 299 * SECOND_US, b"b")] == [3_000, 0]
    assert charged(SEARCH, NOW_US + 599 * SECOND_US, b"b") == 3_000


def test_all_is_forgotten_when_the_store_knows_it() -> None:
    local = LocalLimits(ZONE)
    key = replace(KEY, rate_limit=2, requests_per_day=2)
    assert outcomes(local, asked(key), 3)[-1] is Outcome.RATE_LIMIT
    local.forget()
    assert outcomes(local, asked(key), 2) == [Outcome.ALLOWED] * 2


def test_memory_of_callers_and_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_limits, "MAX_COUNTERS", 3)
    monkeypatch.setattr(local_rates, "MAX_CALLERS", 4)
    monkeypatch.setattr(local_sessions, "MAX_SESSIONS", 2)
    monkeypatch.setattr(local_rates, "MAX_PASSES", 6)
    local = LocalLimits(ZONE)
    for n in range(50):
        key = replace(KEY, key_id=n % 7, account_id=n)
        local.decide(asked(key, SEARCH, token=b"a"), NOW_US - 2 * SECOND_US)
        assert outcomes(local, asked(key, caller=b"%d" % (n % 7)), 3) == [Outcome.ALLOWED] * 3
        assert len(local._rates._logs) <= 4
        assert local._rates._n_passes == sum(map(len, local._rates._logs.values())) <= 6
        assert len(local._sessions._sessions) <= 2
        assert max(len(local._days), len(local._months), len(local._spent)) <= 3


def test_keys_of_one_lineage_share_day_and_rate() -> None:
    old = replace(KEY, requests_per_day=3)
    new = replace(old, key_id=8, lineage_id=old.key_id)
    local = LocalLimits(ZONE)
    assert outcomes(local, asked(old), 2) + outcomes(local, asked(new), 2) == [
        *(Outcome.ALLOWED, Outcome.ALLOWED, Outcome.ALLOWED, Outcome.DAILY_QUOTA),
    ]
    assert asked(old).caller == asked(new).caller


@pytest.mark.parametrize(
    ("own", "refused"),
    [(OwnLimits(requests_per_month=3), Outcome.MONTHLY_QUOTA), (OwnLimits(None, 15_000, None), Outcome.KEY_BUDGET)],
)
def test_keys_of_one_lineage_share_their_own_month(own: OwnLimits, refused: Outcome) -> None:
    old = replace(KEY, own=own)
    new = replace(old, key_id=8, lineage_id=old.key_id)
    local = LocalLimits(ZONE)
    assert outcomes(local, asked(old), 2) == [Outcome.ALLOWED] * 2
    assert outcomes(local, asked(new), 2) == [Outcome.ALLOWED, refused]
