"""Events that come a second time from a spool are one record, whatever the store has forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from keys.services import CreatedKey
from stats.events import Replay, UsageEvent, encode_entry
from stats.ingest import ingest_all
from stats.models import ShardCursor
from stats.stream import count_key, redis_client, stream_key
from tests.factories import make_event, make_key
from tests.road import as_kept, copies, event_line, push, records


@pytest.fixture
def key(db: None) -> CreatedKey:
    return make_key()


def replay(*events: UsageEvent, how: Replay = Replay.SURE) -> None:
    """Appends the events as one entry, as the replay script does."""
    client = redis_client()
    n_before = client.incrby(count_key(0), len(events)) - len(events)
    fields = encode_entry(n_before=n_before, at=events[0].at, lines=[event_line(event) for event in events])
    client.xadd(stream_key(0), {**fields, "r": how.value})


def counts() -> tuple[int, int, int]:
    return ShardCursor.objects.values_list("n_records", "n_said", "n_lost").get()


def test_replayed_events_become_records_with_their_own_time(key: CreatedKey) -> None:
    events = copies(make_event(key), 4)
    replay(*events)
    ingest_all()
    assert records() == as_kept(events)
    assert counts() == (4, 4, 0)


@pytest.mark.parametrize("is_one_batch", [False, True])
@pytest.mark.parametrize("how", list(Replay))
def test_entry_that_comes_again_adds_what_is_new_in_it_and_nothing_else(
    key: CreatedKey, how: Replay, is_one_batch: bool
) -> None:
    events = copies(make_event(key), 4)
    replay(*events[:3], how=how)
    if not is_one_batch:
        ingest_all()
    replay(*events, how=how)
    ingest_all()
    assert records() == as_kept(events)
    assert counts() == (4, 7, 0)


def test_call_that_the_store_counted_before_it_forgot_stays_as_it_was_counted(key: CreatedKey) -> None:
    spooled = copies(make_event(key), 3)
    late = timedelta(hours=5)
    counted = [replace(event, at=event.at + late) for event in spooled]
    push(*counted)
    ingest_all()
    replay(*spooled, how=Replay.UNSURE)
    ingest_all()
    assert records() == as_kept(counted)


def test_events_counted_as_they_came_are_not_looked_up(key: CreatedKey) -> None:
    push(*copies(make_event(key), 10), per_entry=5)
    with CaptureQueriesContext(connection) as queries:
        ingest_all()
    assert len(records()) == 10
    assert [query for query in queries if 'FROM "stats_usagerecord"' in query["sql"]] == []
