"""The counting script on a real Redis, against a model written in another way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.exceptions import ResponseError

from gate.calendar import TTLS, Calendar
from gate.snapshot import Credit, KeySnapshot, OwnLimits, ServiceFacts, SessionPart, Used
from gate.specs import NO_LIMIT, Verdict, pack_spec, rate_name, unpack_verdicts
from goongdash.lib.periods import Month, day_number, day_of
from stats.events import decode_entry
from stats.outcomes import OUTCOMES, Outcome
from stats.stream import redis_client, shard_prefix, stream_key
from tests.gate.snapshots import SNAPSHOT
from tests.shards import shards_open

pytestmark = pytest.mark.django_db

GEOCODE = ServiceFacts(6, "geocode", "Geocode v1", "rest", "request", "/geocode")
STATIC = ServiceFacts(14, "static-map", "Static map", "rest", "request", "/staticmap/route")
MAP_LOAD = ServiceFacts(15, "map-load", "Map load", "tiles", "map_load", "/assets/*.json")
SEARCH = ServiceFacts(
    1, "autocomplete", "Autocomplete v1", "rest", "request", "/place/autocomplete", SessionPart.SEARCH
)
DETAIL = ServiceFacts(3, "place-detail", "Place detail v1", "rest", "request", "/place/detail", SessionPart.DETAIL)
TILE = ServiceFacts(19, "tiles", "Tiles", "tiles", "none", "/tiles/*/*/*/*")

CONNECTION = "0123456789abcdef"
Call = tuple[KeySnapshot, ServiceFacts | None, Outcome | None]


def today() -> tuple[int, int]:
    day = day_of(datetime.now(UTC), settings.BILLING_ZONE)
    return day_number(day), Month.of(day).number


def snapshot(**changes: object) -> KeySnapshot:
    month = today()[1]
    credit = Credit(month, 10**12, month + 1, 0)
    return replace(SNAPSHOT, **{"rate_limit": 10_000, "credit": credit, **changes})  # type: ignore[arg-type]


def count(
    calls: Sequence[Call], ip: str = "203.0.113.7", token: str = "", units: int = 1, is_open: bool = True
) -> list[Verdict]:
    """One script call with all of `calls`, those to services with sessions in the session of `token`."""
    calendar = Calendar.around(datetime.now(UTC), settings.BILLING_ZONE)
    arguments: list[bytes] = []
    for key, service, refused in calls:
        price = 0 if service is None else key.prices.get(service.id, 0)
        event = f"{key.account_id}\t{key.key_id}\t6\t{units}\t{price}\t{ip}\t\t{UUID(int=7)}".encode()
        part = SessionPart.NONE if service is None or not token else service.session_part
        caller = rate_name(key, service) + ip.encode() + (b"\t" + token.encode() if part else b"")
        if service is not None and service.counts_elements:
            caller += b"\t%d" % units
        arguments += [pack_spec(key, service, refused, part), caller, event]
    if is_open:
        shards_open()
    answer = redis_client().eval(
        files("gate").joinpath("count.lua").read_text(),
        1,
        stream_key(0),
        calendar.packed_days,
        TTLS,
        CONNECTION,
        1,
        *arguments,
    )
    assert isinstance(answer, bytes)
    return unpack_verdicts(answer)[1]


def store() -> dict[bytes, Any]:
    """All counters: every hash of the test but the stream, its running number and that of the last call."""
    client = redis_client()
    others = (b"events", b"said", b"open", CONNECTION.encode())
    names = [name for name in client.scan_iter(f"{settings.REDIS_PREFIX}:*") if not name.endswith(others)]
    return {name: client.hgetall(name) for name in names}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"rate_limit": 1}, Outcome.RATE_LIMIT),
        ({"requests_per_day": 1}, Outcome.DAILY_QUOTA),
        ({"requests_per_month": 1}, Outcome.MONTHLY_QUOTA),
        ({"credit": Credit(today()[1], 9_999, 0, 0)}, Outcome.CREDIT_EXHAUSTED),
        ({"own": OwnLimits(requests_per_month=1)}, Outcome.MONTHLY_QUOTA),
        ({"own": OwnLimits(spend_cap_micro_usd=9_999)}, Outcome.KEY_BUDGET),
        ({"own": OwnLimits(budget_micro_usd=9_999)}, Outcome.ACCOUNT_BUDGET),
    ],
)
def test_refused_request_leaves_every_counter_as_it_was(changes: dict[str, object], outcome: Outcome) -> None:
    key = snapshot(**changes)
    assert [verdict.outcome for verdict in count([(key, GEOCODE, None)])] == [Outcome.ALLOWED]
    before = store()
    assert [verdict.outcome for verdict in count([(key, GEOCODE, None)] * 3)] == [outcome] * 3
    assert store() == before
    assert sorted(len(counters) for counters in before.values()) == [1, 1, 2 if "own" in changes else 1]


def test_request_refused_in_memory_is_recorded_and_told_what_is_left() -> None:
    key = snapshot()
    count([(key, GEOCODE, None)])
    before = store()
    (verdict,) = count([(key, GEOCODE, Outcome.ORIGIN_NOT_ALLOWED)])
    assert (verdict.outcome, verdict.left_day, verdict.left_month) == (Outcome.ORIGIN_NOT_ALLOWED, 999, 29_999)
    (verdict,) = count([(key, GEOCODE, Outcome.KEY_REVOKED)])
    assert (verdict.outcome, verdict.left_rate, verdict.left_day) == (Outcome.KEY_REVOKED, NO_LIMIT, NO_LIMIT)
    assert store() == before


def test_events_of_one_call_are_one_entry_in_the_order_of_decision() -> None:
    key = snapshot(requests_per_day=2)
    count([(key, GEOCODE, None), (key, None, Outcome.SERVICE_UNKNOWN), (key, GEOCODE, None), (key, STATIC, None)])
    count([(key, GEOCODE, None)])
    entries: Any = redis_client().xrange(stream_key(0))
    first, second = (decode_entry(fields) for _, fields in entries)
    assert [event.outcome for event in first.events] == [
        Outcome.ALLOWED,
        Outcome.SERVICE_UNKNOWN,
        Outcome.ALLOWED,
        Outcome.DAILY_QUOTA,
    ]
    assert [event.cost_micro_usd for event in first.events] == [5_000, 0, 5_000, 0]
    assert (first.n_before, second.n_before) == (0, 4)


def test_counter_the_store_does_not_have_begins_at_what_the_rollups_said() -> None:
    day, month = today()
    key = snapshot(
        requests_per_day=10,
        credit=Credit(month, 20_000, 0, 0),
        used=Used(day, n_key_today=8, month=month, n_requests=100, n_map_loads=0, spent_micro_usd=11_000),
    )
    verdicts = count([(key, GEOCODE, None)] * 2)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ALLOWED, Outcome.CREDIT_EXHAUSTED]
    assert (verdicts[0].left_day, verdicts[0].left_month) == (1, 29_899)


def test_what_another_day_or_month_used_is_not_counted() -> None:
    key = snapshot(used=Used(20200101, 999, 202001, 29_999, 999, 10**12, 10**6, 10**12), own=OwnLimits(1, 10**6, 10**6))
    (verdict,) = count([(key, GEOCODE, None)])
    assert (verdict.outcome, verdict.left_day, verdict.left_month) == (Outcome.ALLOWED, 999, 29_999)


def test_month_without_known_credit_allows_only_what_is_free() -> None:
    key = snapshot(credit=Credit(202001, 10**12, 202002, 10**12))
    verdicts = count([(key, GEOCODE, None), (key, STATIC, None)])
    assert [verdict.outcome for verdict in verdicts] == [Outcome.CREDIT_EXHAUSTED, Outcome.ALLOWED]


def test_call_on_a_connection_that_a_replay_has_closed_counts_nothing() -> None:
    key = snapshot()
    count([(key, GEOCODE, None)])
    redis_client().set(f"{shard_prefix(0)}b:{CONNECTION}", "x1")
    before, n_entries = store(), redis_client().xlen(stream_key(0))
    with pytest.raises(ResponseError, match="CLOSED"):
        count([(key, GEOCODE, None)])
    assert (store(), redis_client().xlen(stream_key(0))) == (before, n_entries)


def test_counters_expire() -> None:
    count([(snapshot(), GEOCODE, None)])
    client = redis_client()
    count([(snapshot(), SEARCH, None)], token="a")
    kept = [
        name
        for name in client.scan_iter(f"{settings.REDIS_PREFIX}:*")
        if not name.endswith((b"events", b"said", b"open"))
    ]
    assert len(kept) == 5 or len(kept) == 6  # The second call may lie in the next second.
    assert all(0 < client.pttl(name) <= 40 * 86_400_000 for name in kept)


def test_rate_is_exact_in_every_window_whichever_way_windows_are_cut() -> None:
    """Against the store's own times of the passes, over dozens of short windows."""
    window_ms, limit = 40, 3
    spec = bytearray(pack_spec(snapshot(rate_limit=limit, rate_window_s=1), GEOCODE, None))
    spec[7:11] = window_ms.to_bytes(4)
    arguments = [bytes(spec), b"7:203.0.113.7", f"3\t7\t6\t1\t5000\t203.0.113.7\t\t{UUID(int=7)}".encode()]
    script = redis_client().register_script(files("gate").joinpath("count.lua").read_text())
    calendar = Calendar.around(datetime.now(UTC), settings.BILLING_ZONE)
    shards_open()
    passed: list[int] = []
    n_wrongly_refused = 0
    for _ in range(600):
        answer = script(keys=[stream_key(0)], args=[calendar.packed_days, TTLS, CONNECTION, 1, *arguments * 2])
        now_us, verdicts = unpack_verdicts(answer)
        for verdict in verdicts:
            recent = [at for at in passed if at > now_us - window_ms * 1_000]
            is_right = (verdict.outcome is Outcome.ALLOWED) == (len(recent) < limit)
            n_wrongly_refused += not is_right
            if verdict.outcome is Outcome.RATE_LIMIT:
                assert verdict.wait_us == recent[len(recent) - limit] + window_ms * 1_000 - now_us
            else:
                passed.append(now_us)
                assert verdict.left_rate == limit - len(recent) - 1
    assert n_wrongly_refused == 0
    assert len(passed) > 2 * limit


def charges(*calls: tuple[ServiceFacts, str]) -> list[int]:
    """What each of the calls costs, one script call each."""
    key = snapshot(prices={SEARCH.id: 2_000, DETAIL.id: 4_000})
    for service, token in calls:
        assert [verdict.outcome for verdict in count([(key, service, None)], token=token)] == [Outcome.ALLOWED]
    entries: Any = redis_client().xrange(stream_key(0))
    return [event.cost_micro_usd for _, fields in entries for event in decode_entry(fields).events]


def test_session_is_charged_once_for_its_searches_and_one_detail() -> None:
    session = [(SEARCH, "a"), (SEARCH, "a"), (SEARCH, "a"), (DETAIL, "a")]
    assert charges(*session) == [2_000, 0, 0, 0]


def test_token_used_again_after_its_detail_is_charged_each_time() -> None:
    assert charges((SEARCH, "a"), (DETAIL, "a"), (SEARCH, "a"), (SEARCH, "a"), (DETAIL, "a")) == [
        *(2_000, 0),
        *(2_000, 2_000, 4_000),
    ]


def test_detail_alone_is_charged_and_ends_its_session() -> None:
    assert charges((DETAIL, "a"), (SEARCH, "a"), (DETAIL, "a")) == [4_000, 2_000, 4_000]


def test_sessions_do_not_cover_each_other_and_no_token_is_no_session() -> None:
    assert charges((SEARCH, "a"), (SEARCH, "b"), (SEARCH, ""), (DETAIL, "")) == [2_000, 2_000, 2_000, 4_000]


def test_request_that_is_refused_changes_nothing_in_its_session() -> None:
    key = snapshot(prices={SEARCH.id: 2_000, DETAIL.id: 4_000}, credit=Credit(today()[1], 2_000, 0, 0))
    outcomes = [
        count([(key, service, None)], token=token)[0].outcome
        for service, token in [(SEARCH, "a"), (SEARCH, "b"), (DETAIL, "b"), (SEARCH, "a"), (DETAIL, "a")]
    ]
    spent = Outcome.CREDIT_EXHAUSTED
    assert outcomes == [Outcome.ALLOWED, spent, spent, Outcome.ALLOWED, Outcome.ALLOWED]


def test_every_request_of_a_session_counts_against_the_limits() -> None:
    key = snapshot(requests_per_day=2)
    outcomes = [verdict.outcome for verdict in count([(key, SEARCH, None)] * 3, token="a")]
    assert outcomes == [Outcome.ALLOWED, Outcome.ALLOWED, Outcome.DAILY_QUOTA]


@dataclass
class Model:
    """Day, month and credit limits, counted the plain way."""

    n_day: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    n_month: dict[tuple[int, bool], int] = field(default_factory=lambda: defaultdict(int))
    n_own: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    spent: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    spent_own: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def count(self, key: KeySnapshot, service: ServiceFacts) -> Outcome:
        if service.unit == "none":
            return Outcome.ALLOWED
        is_map = service.unit == "map_load"
        price = key.prices.get(service.id, 0)
        limit = key.map_loads_per_month if is_map else key.requests_per_month
        if key.requests_per_day is not None and self.n_day[key.key_id] >= key.requests_per_day:
            return Outcome.DAILY_QUOTA
        if limit is not None and self.n_month[key.account_id, is_map] >= limit:
            return Outcome.MONTHLY_QUOTA
        own = key.own or OwnLimits()
        if own.requests_per_month is not None and self.n_own[key.key_id] >= own.requests_per_month:
            return Outcome.MONTHLY_QUOTA
        if price and self.spent[key.account_id] + price > key.credit.allowance_micro_usd:
            return Outcome.CREDIT_EXHAUSTED
        if price and own.budget_micro_usd is not None and self.spent[key.account_id] + price > own.budget_micro_usd:
            return Outcome.ACCOUNT_BUDGET
        cap = own.spend_cap_micro_usd
        if price and cap is not None and self.spent_own[key.key_id] + price > cap:
            return Outcome.KEY_BUDGET
        self.n_own[key.key_id] += 1
        self.spent_own[key.key_id] += price
        self.n_day[key.key_id] += 1
        self.n_month[key.account_id, is_map] += 1
        self.spent[key.account_id] += price
        return Outcome.ALLOWED


limits = st.one_of(st.none(), st.integers(0, 12))
amounts = st.one_of(st.none(), st.integers(0, 60_000))
own_limits = st.one_of(st.none(), st.builds(OwnLimits, limits, amounts, amounts))


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    credit=st.integers(0, 60_000),
    day=limits,
    month=limits,
    loads=limits,
    own=st.lists(own_limits, min_size=3, max_size=3),
)
def test_script_agrees_with_the_model(
    data: st.DataObject,
    credit: int,
    day: int | None,
    month: int | None,
    loads: int | None,
    own: list[OwnLimits | None],
) -> None:
    redis_client().delete(*redis_client().keys(f"{settings.REDIS_PREFIX}:*"), "none")
    keys = [
        snapshot(
            key_id=number,
            account_id=number % 2,
            credit=Credit(today()[1], credit, 0, 0),
            requests_per_day=day,
            requests_per_month=month,
            map_loads_per_month=loads,
            own=own[number],
        )
        for number in range(3)
    ]
    model = Model()
    services = st.sampled_from([GEOCODE, STATIC, MAP_LOAD, TILE])
    for batch in data.draw(st.lists(st.lists(st.tuples(st.sampled_from(keys), services), min_size=1), max_size=6)):
        verdicts = count([(key, service, None) for key, service in batch])
        assert [verdict.outcome for verdict in verdicts] == [model.count(key, service) for key, service in batch]


def test_every_outcome_number_of_the_script_is_the_one_that_is_stored() -> None:
    script = files("gate").joinpath("count.lua").read_text()
    for names in ("ALLOWED, RATE_LIMIT, DAILY_QUOTA, MONTHLY_QUOTA, CREDIT_EXHAUSTED", "KEY_BUDGET, ACCOUNT_BUDGET"):
        numbers = ", ".join(str(OUTCOMES[Outcome[name]].number) for name in names.split(", "))
        assert f"local {names} = {numbers}\n" in script
