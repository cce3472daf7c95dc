"""Every event in the stream becomes one record, once, whatever interrupts, repeats or races the ingest."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import Settings

from goongdash.lib.periods import day_of
from keys.services import CreatedKey
from stats import ingest
from stats.events import encode_entry
from stats.ingest import SHARD_BITS, ingest_all, ingest_shard, wait_for_events
from stats.models import ShardCursor, UsageRecord
from stats.outcomes import Outcome
from stats.partitions import partition_name
from stats.stream import count_key, redis_client, shard_of, stream_key, unreadable_key
from tests.factories import T0, make_account, make_event, make_key
from tests.road import as_kept, at_once, copies, push, records

N_EVENTS = 7


class Interrupted(Exception):
    pass


@pytest.fixture
def key(db: None) -> CreatedKey:
    return make_key()


def cursor(shard: int = 0) -> ShardCursor:
    return ShardCursor.objects.get(shard=shard)


def numbers(shard: int = 0) -> list[int]:
    """The running numbers of the shard's records."""
    first, end = shard << SHARD_BITS, (shard + 1) << SHARD_BITS
    ids = UsageRecord.objects.filter(id__gte=first, id__lt=end).values_list("id", flat=True)
    return sorted(number - first for number in ids)


def n_waiting(shard: int = 0) -> int:
    return redis_client().xlen(stream_key(shard))


def test_every_event_becomes_one_record_with_all_it_said(key: CreatedKey) -> None:
    events = [
        make_event(key, origin="https://a.example\t\n b", ip="2001:db8::7"),
        make_event(key, outcome=Outcome.RATE_LIMIT, units=1, cost_micro_usd=5_000),
        make_event(key, service_id=0, outcome=Outcome.SERVICE_UNKNOWN, origin=""),
        *copies(make_event(key, "map-load", cost_micro_usd=7_000), 5),
    ]
    push(*events, per_entry=3)

    n_entries = ingest_all()

    said = list(events)
    said[0] = make_event(key, origin="https://a.example b", ip="2001:db8::7", request_id=events[0].request_id)
    said[1] = make_event(key, outcome=Outcome.RATE_LIMIT, request_id=events[1].request_id)
    assert n_entries == 3
    assert records() == as_kept(said)
    assert numbers() == list(range(1, 9))
    assert (cursor().n_records, cursor().n_said, cursor().n_lost, cursor().n_unreadable) == (8, 8, 0, 0)
    assert n_waiting() == 0


def test_second_run_adds_nothing(key: CreatedKey) -> None:
    events = copies(make_event(key), N_EVENTS)
    push(*events)
    ingest_all()
    before = ShardCursor.objects.values().get()

    assert ingest_all() == 0

    assert records() == as_kept(events)
    assert ShardCursor.objects.values().get() == before


def test_ingest_without_events_leaves_nothing_but_a_cursor_at_the_start(db: None) -> None:
    assert ingest_all() == 0

    assert records() == []
    assert (cursor().stream_id, cursor().n_said, cursor().ingested_at) == ("0-0", 0, None)


def test_stream_longer_than_a_batch_is_stored_in_order(key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    events = copies(make_event(key), 10, apart=timedelta(hours=5))
    push(*events)

    assert [ingest_shard(0, limit=4) for _ in range(4)] == [4, 4, 2, 0]

    assert records() == as_kept(events)
    assert list(UsageRecord.objects.order_by("id").values_list("at", flat=True)) == [event.at for event in events]


def test_run_interrupted_after_the_copy_stores_nothing_and_the_next_stores_all(
    key: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = copies(make_event(key), N_EVENTS)
    push(*events)

    def interrupt() -> NoReturn:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "utc_now", interrupt)
        with pytest.raises(Interrupted):
            ingest_all()

    assert records() == []
    assert not ShardCursor.objects.filter(n_records__gt=0).exists()
    assert n_waiting() == N_EVENTS
    ingest_all()
    assert records() == as_kept(events)
    assert numbers() == list(range(1, N_EVENTS + 1))


def test_entries_that_could_not_be_trimmed_are_not_stored_again(
    key: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = copies(make_event(key), N_EVENTS)
    push(*events)

    def interrupt(shard: int, *, through: str) -> NoReturn:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "stream_trim", interrupt)
        with pytest.raises(Interrupted):
            ingest_all()

    assert n_waiting() == N_EVENTS
    assert ingest_all() == 0
    more = make_event(key)
    push(more)
    ingest_all()
    assert records() == as_kept([*events, more])
    assert n_waiting() == 0


def test_entries_are_trimmed_only_when_others_can_see_their_records(
    live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = copies(make_event(make_key()), N_EVENTS)
    push(*events)
    seen: list[int] = []
    trim = ingest.stream_trim

    def look_and_trim(shard: int, *, through: str) -> None:
        seen.extend(at_once(UsageRecord.objects.count))
        trim(shard, through=through)

    monkeypatch.setattr(ingest, "stream_trim", look_and_trim)

    ingest_all()

    assert seen == [N_EVENTS]
    assert n_waiting() == 0


def test_two_ingests_at_once_store_each_event_once(live: None) -> None:
    events = copies(make_event(make_key()), 600)
    push(*events)

    def ingest_in_small_steps() -> int:
        n_entries = 0
        while n := ingest_shard(0, limit=20):
            n_entries += n
        return n_entries

    shares = at_once(*[ingest_in_small_steps] * 3)

    assert sum(shares) == 600
    assert records() == as_kept(events)
    assert numbers() == list(range(1, 601))
    assert (cursor().n_records, cursor().n_lost, n_waiting()) == (600, 0, 0)


def test_gap_in_the_running_numbers_is_counted_as_lost(key: CreatedKey) -> None:
    events = copies(make_event(key), 5)
    push(*events[:2])
    redis_client().incrby(count_key(0), 3)
    push(*events[2:])

    ingest_all()

    assert records() == as_kept(events)
    assert (cursor().n_records, cursor().n_lost, cursor().n_said) == (5, 3, 8)


def test_gap_between_two_runs_is_counted_as_lost_once(key: CreatedKey) -> None:
    push(make_event(key))
    ingest_all()
    redis_client().incrby(count_key(0), 4)
    push(make_event(key))

    ingest_all()
    ingest_all()

    assert (cursor().n_records, cursor().n_lost, cursor().n_said) == (2, 4, 6)


def test_emptied_store_begins_anew_and_loses_nothing_of_what_comes_after(key: CreatedKey) -> None:
    before, after = copies(make_event(key), 4), copies(make_event(key), 3)
    push(*before)
    ingest_all()
    redis_client().delete(stream_key(0), count_key(0))
    push(*after)

    ingest_all()

    assert records() == as_kept([*before, *after])
    assert numbers() == list(range(1, 8))
    assert (cursor().n_said, cursor().n_lost) == (3, 0)
    redis_client().incrby(count_key(0), 2)
    push(make_event(key))
    ingest_all()
    assert (cursor().n_said, cursor().n_lost) == (6, 2)


@pytest.mark.parametrize(
    "fields",
    [
        {"nonsense": "1"},
        {"t": 1, "n": 1, "e": "0\t1"},
        {"t": 1, "n": 1, "e": b"\xff\x00"},
        {"t": 10**18, "n": 1, "e": ""},
    ],
)
def test_unreadable_entry_is_put_aside_and_keeps_no_other_from_being_stored(
    key: CreatedKey, fields: dict[str, bytes | int | str]
) -> None:
    events = copies(make_event(key), 2)
    push(events[0])
    entry_id = redis_client().xadd(stream_key(0), fields)  # type: ignore[arg-type]
    push(events[1])

    ingest_all()

    assert records() == as_kept(events)
    assert (cursor().n_records, cursor().n_unreadable, cursor().n_lost) == (2, 1, 0)
    assert n_waiting() == 0
    aside = redis_client().hgetall(unreadable_key(0))
    assert list(aside) == [entry_id]
    assert repr(next(iter(fields))).encode() in aside[entry_id]


def test_events_of_an_unreadable_entry_count_as_lost_when_the_next_tells(key: CreatedKey) -> None:
    good = encode_entry(n_before=0, at=T0, lines=[])
    redis_client().xadd(stream_key(0), {**good, "e": "garbled\ngarbled\ngarbled"})
    redis_client().set(count_key(0), 3)
    push(make_event(key))

    ingest_all()

    assert (cursor().n_records, cursor().n_unreadable, cursor().n_lost) == (1, 1, 3)


def test_entry_is_put_aside_once_though_its_run_was_interrupted(
    key: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_client().xadd(stream_key(0), {"nonsense": "1"})
    push(make_event(key))

    def interrupt() -> NoReturn:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "utc_now", interrupt)
        with pytest.raises(Interrupted):
            ingest_all()
    ingest_all()

    assert redis_client().hlen(unreadable_key(0)) == 1
    assert cursor().n_unreadable == 1


def test_late_event_lands_in_the_partition_of_its_own_day(key: CreatedKey) -> None:
    # 16:59:59.999999 UTC is the last instant of the day in Hanoi, 17:00 the first of the next.
    days_late = [timedelta(0), timedelta(days=9), timedelta(days=400)]
    midnight = T0.replace(hour=17, minute=0)
    late = [
        make_event(key, at=midnight - late - edge)
        for late in days_late
        for edge in (timedelta(0), timedelta(microseconds=1))
    ]
    push(*late)

    ingest_all()

    assert records() == as_kept(late)
    with connection.cursor() as db:
        db.execute("SELECT at, tableoid::regclass::text FROM stats_usagerecord")
        rows = db.fetchall()
    assert len(rows) == 6
    for at, partition in rows:
        assert partition == partition_name(day_of(at, settings.BILLING_ZONE))


def test_shards_are_stored_side_by_side_each_with_numbers_of_its_own(db: None, settings: Settings) -> None:
    settings.USAGE_SHARDS = 3
    events = [event for _ in range(6) for event in copies(make_event(make_key(make_account())), 2)]
    push(*events)
    by_shard = {shard: [e for e in events if shard_of(e.account_id) == shard] for shard in range(3)}

    ingest_all()

    assert records() == as_kept(events)
    for shard, some in by_shard.items():
        assert len(some) == 4
        assert numbers(shard) == [1, 2, 3, 4]
        assert (cursor(shard).n_records, cursor(shard).n_said, n_waiting(shard)) == (4, 4, 0)
        accounts = UsageRecord.objects.filter(id__gt=shard << SHARD_BITS, id__lt=(shard + 1) << SHARD_BITS)
        assert {account % 3 for account in accounts.values_list("account_id", flat=True)} == {shard}
    assert ShardCursor.objects.count() == 3


def test_waiting_ends_with_the_first_event_of_any_shard(db: None, settings: Settings) -> None:
    settings.USAGE_SHARDS = 3
    keys = [make_key(make_account()) for _ in range(3)]
    for key in keys:
        push(make_event(key))
        wait_for_events(timeout_ms=9_000)
        assert ingest_all() == 1
