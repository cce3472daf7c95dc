"""The sums are exactly the records: added once each, in the zone's hours and days, however the work is cut up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from goongdash.lib.periods import day_of, day_start
from keys.services import CreatedKey
from stats import rollups
from stats.events import UsageEvent
from stats.ingest import ingest_all, ingest_shard
from stats.models import DailyUsage, HourlyUsage, ShardCursor, UsageRecord
from stats.outcomes import Outcome
from stats.rollups import rollups_rebuild, usage_roll_up
from stats.stream import count_key, redis_client, stream_key
from tests.factories import T0, make_account, make_event, make_key
from tests.road import at_once, copies, days, hours, push, roll_up_all, store
from tests.stats.sums import HANOI, assert_sums_are, set_zone

TODAY = day_of(T0, HANOI)


class Interrupted(Exception):
    pass


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "utc_now", lambda: T0)


@pytest.fixture
def key(db: None) -> CreatedKey:
    return make_key()


def mixed(key: CreatedKey) -> list[UsageEvent]:
    """Events of two keys, several services and outcomes, over some hours and days, one with no service."""
    other = make_key(make_account())
    return [
        *copies(make_event(key), 6, apart=timedelta(minutes=25)),
        *copies(make_event(key, "map-load", cost_micro_usd=7_000), 3),
        *copies(make_event(key, outcome=Outcome.RATE_LIMIT), 2),
        *copies(make_event(other, at=T0 - timedelta(days=1)), 4, apart=timedelta(hours=7)),
        make_event(key, service_id=0, outcome=Outcome.SERVICE_UNKNOWN),
        make_event(key, service_id=0, outcome=Outcome.SERVICE_UNKNOWN),
    ]


def test_sums_are_those_of_the_records_and_no_others(key: CreatedKey) -> None:
    events = mixed(key)
    push(*events)
    ingest_all()

    assert usage_roll_up() == len(events)

    assert_sums_are(events)
    cursor = ShardCursor.objects.get()
    assert (cursor.n_rolled_up, cursor.rolled_up_at) == (len(events), T0)


def test_second_run_adds_nothing(key: CreatedKey) -> None:
    events = mixed(key)
    store(*events)

    assert usage_roll_up() == 0

    assert_sums_are(events)


def test_rollup_without_records_writes_nothing(db: None) -> None:
    assert usage_roll_up() == 0
    assert hours() == days() == set()


def test_interrupted_run_adds_nothing_and_the_next_adds_all(key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    events = mixed(key)
    push(*events)
    ingest_all()

    def interrupt() -> NoReturn:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(rollups, "utc_now", interrupt)
        with pytest.raises(Interrupted):
            usage_roll_up()

    assert hours() == days() == set()
    assert ShardCursor.objects.get().n_rolled_up == 0
    usage_roll_up()
    assert_sums_are(events)


def test_late_event_is_added_to_the_hour_and_day_it_belongs_to(key: CreatedKey) -> None:
    early = copies(make_event(key), 3)
    store(*early)
    late = [make_event(key, at=T0 - timedelta(days=3)), make_event(key, at=T0 - timedelta(minutes=1)), make_event(key)]

    store(*late)

    assert_sums_are([*early, *late])


def test_backlog_is_added_a_batch_at_a_time(key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    events = copies(make_event(key), 10, apart=timedelta(minutes=40))
    push(*events)
    ingest_all()
    monkeypatch.setattr(rollups, "BATCH_RECORDS", 4)

    assert [usage_roll_up() for _ in range(4)] == [4, 4, 2, 0]

    assert_sums_are(events)


def test_rollups_at_once_beside_an_ingest_add_each_record_once(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    events = copies(make_event(make_key()), 300, apart=timedelta(minutes=1))
    push(*events)
    monkeypatch.setattr(rollups, "BATCH_RECORDS", 13)

    def ingest_in_small_steps() -> int:
        while ingest_shard(0, limit=7):
            pass
        return 0

    n_added = at_once(ingest_in_small_steps, roll_up_all, roll_up_all, ingest_in_small_steps)

    assert sum(n_added) + roll_up_all() == 300
    assert_sums_are(events)


def test_shards_are_summed_alike(db: None, settings: Settings) -> None:
    settings.USAGE_SHARDS = 3
    events = [event for _ in range(6) for event in copies(make_event(make_key()), 2, apart=timedelta(hours=1))]
    push(*events)
    ingest_all()

    assert usage_roll_up() == len(events)
    assert_sums_are(events)

    rollups_rebuild(first=TODAY, last=TODAY)
    assert_sums_are(events)


ZONES = ["Asia/Ho_Chi_Minh", "Asia/Kolkata", "Asia/Kathmandu", "America/Santiago", "America/Havana", "America/New_York"]
# Clock changes of 2026: Santiago leaves midnight out and later repeats the hour before it, Havana repeats the hour
# after it; New York does both at two.
CHANGES = [
    datetime(2026, 3, 8, 5, tzinfo=UTC),
    datetime(2026, 4, 5, 3, tzinfo=UTC),
    datetime(2026, 9, 6, 4, tzinfo=UTC),
    datetime(2026, 11, 1, 5, tzinfo=UTC),
    T0,
]


@pytest.mark.parametrize("name", ZONES)
def test_hours_and_days_are_cut_by_the_zone_also_where_its_clocks_change(
    key: CreatedKey, settings: Settings, name: str
) -> None:
    zone = set_zone(settings, name)
    events = [
        event
        for i, change in enumerate(CHANGES)
        for event in copies(
            make_event(key, at=change - timedelta(hours=26), cost_micro_usd=10**i), 106, apart=timedelta(minutes=30)
        )
    ]

    store(*events)

    assert_sums_are(events, zone)
    for (day_on,) in DailyUsage.objects.values_list("day_on"):
        within = HourlyUsage.objects.filter(
            hour_at__gte=day_start(day_on, zone), hour_at__lt=day_start(day_on + timedelta(days=1), zone)
        )
        assert sum(hour.n_requests for hour in within) == DailyUsage.objects.get(day_on=day_on).n_requests


def test_watermark_never_passes_the_records(key: CreatedKey) -> None:
    store(make_event(key))

    with pytest.raises(IntegrityError), transaction.atomic():
        ShardCursor.objects.update(n_rolled_up=2)


@contextmanager
def undone() -> Iterator[None]:
    """What the block writes is gone after it, however it ends: Hypothesis runs many examples in one test."""
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        redis_client().delete(stream_key(0), count_key(0))


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_cut_into_batches_gives_the_same_sums(key: CreatedKey, data: st.DataObject) -> None:
    base = [
        make_event(key),
        make_event(key, outcome=Outcome.DAILY_QUOTA),
        make_event(key, "trip", cost_micro_usd=10_000),
    ]
    with undone():
        events: list[UsageEvent] = []
        for _ in range(data.draw(st.integers(1, 4), label="batches")):
            picks = data.draw(
                st.lists(st.tuples(st.sampled_from(base), st.integers(-72, 72)), max_size=8), label="events"
            )
            some = [replace(event, at=event.at + timedelta(hours=shift)) for event, shift in picks]
            push(*some)
            events.extend(some)
            if data.draw(st.booleans(), label="ingest"):
                ingest_all()
            if data.draw(st.booleans(), label="roll up"):
                roll_up_all()
            if data.draw(st.booleans(), label="rebuild"):
                rollups_rebuild(first=TODAY - timedelta(days=4), last=TODAY + timedelta(days=4))
        ingest_all()
        roll_up_all()

        assert UsageRecord.objects.count() == len(events)
        assert_sums_are(events)


def test_sum_of_days_is_sum_of_hours_is_sum_of_records(key: CreatedKey) -> None:
    store(*mixed(key))

    with connection.cursor() as db:
        db.execute(
            """
            SELECT (SELECT (count(*), sum(units), sum(cost_micro_usd))::text FROM stats_usagerecord),
                   (SELECT (sum(n_requests), sum(units), sum(cost_micro_usd))::text FROM stats_hourlyusage),
                   (SELECT (sum(n_requests), sum(units), sum(cost_micro_usd))::text FROM stats_dailyusage)
            """
        )
        (row,) = db.fetchall()
    assert len(set(row)) == 1
