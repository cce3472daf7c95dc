"""Batches that are read while the one before is written are stored as if they had been read after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keys.services import CreatedKey
from stats import ingest
from stats.events import Replay
from stats.ingest import ingest_all, ingest_shard
from stats.models import ShardCursor, UsageRecord
from stats.stream import redis_client, stream_key, unreadable_key
from tests.factories import T0, make_event, make_key
from tests.road import as_kept, at_once, copies, push, records
from tests.stats.test_replays import replay


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BATCH_ENTRIES", 3)


@pytest.fixture
def key(db: None) -> CreatedKey:
    return make_key()


def ids() -> list[int]:
    return sorted(UsageRecord.objects.values_list("id", flat=True))


def test_all_batches_are_stored_in_their_order(key: CreatedKey) -> None:
    events = copies(make_event(key), 20, apart=timedelta(seconds=1))
    push(*events)

    assert ingest_all() == 20

    assert records() == as_kept(events)
    assert list(UsageRecord.objects.order_by("at").values_list("id", flat=True)) == [*range(1, 21)]


def test_two_that_read_ahead_of_each_other_store_each_event_once(live: None) -> None:
    events = copies(make_event(make_key()), 100)
    push(*events)

    assert sum(at_once(ingest_all, ingest_all, ingest_all)) == 100

    assert records() == as_kept(events)
    assert ids() == [*range(1, 101)]


def test_batch_is_read_again_where_another_was_quicker(key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    events = copies(make_event(key), 10)
    push(*events)
    trim = ingest.stream_trim

    def let_another_store_one(shard: int, *, through: str) -> None:
        monkeypatch.setattr(ingest, "stream_trim", trim)
        trim(shard, through=through)
        assert ingest_shard(shard, limit=1) == 1

    monkeypatch.setattr(ingest, "stream_trim", let_another_store_one)
    assert ingest_all() == 9

    assert records() == as_kept(events)
    assert ids() == [*range(1, 11)]
    assert ShardCursor.objects.values_list("n_records", "n_said", "n_lost").get() == (10, 10, 0)


@pytest.mark.parametrize("how", list(Replay))
def test_replayed_entry_is_held_against_the_batch_before_its_own(key: CreatedKey, how: Replay) -> None:
    events = copies(make_event(key), 4)
    push(*events, per_entry=4)
    for _ in range(8):
        replay(*events, how=how)

    assert ingest_all() == 9

    assert records() == as_kept(events)


def test_unreadable_entry_of_a_batch_read_ahead_is_put_aside(key: CreatedKey) -> None:
    push(*copies(make_event(key), 4))
    redis_client().xadd(stream_key(0), {"t": 1, "n": 4, "e": "garbage"})

    assert ingest_all() == 5

    assert redis_client().hlen(unreadable_key(0)) == 1
    assert ShardCursor.objects.get().n_unreadable == 1
    assert ids() == [1, 2, 3, 4]


def test_batch_that_failed_is_stored_by_the_next_run(key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    events = copies(make_event(key, at=T0), 8)
    push(*events)

    def fail(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(ingest, "records_write", fail)
        ingest_all()

    assert ingest_all() == 8
    assert records() == as_kept(events)
