"""The scheduled rollup adds what is new at once, but while ingest is behind, it waits for more, and not for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from stats import ingest, pace, rollups
from stats.ingest import ingest_all, ingest_shard
from stats.models import ShardCursor
from stats.pace import PATIENCE, usage_keep_up
from stats.rollups import usage_roll_up
from tests.factories import T0, make_event, make_key
from tests.road import copies, push

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries are a batch, of which one is stored, at T0, and three entries wait."""
    monkeypatch.setattr(pace, "BATCH_ENTRIES", 2)
    at(monkeypatch, T0)
    push(*copies(make_event(make_key()), 5, apart=timedelta(seconds=1)))
    ingest_shard(0, limit=2)


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    for module in (ingest, pace, rollups):
        monkeypatch.setattr(module, "utc_now", lambda: now)


def waiting_since() -> datetime | None:
    return ShardCursor.objects.get().waiting_since


def test_rollup_waits_while_a_whole_batch_waits_for_ingest() -> None:
    assert usage_keep_up() == 0
    ingest_shard(0, limit=2)
    assert usage_keep_up() == 4


def test_rollup_waits_no_longer_than_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, T0 + PATIENCE - timedelta(microseconds=1))
    ingest_shard(0, limit=1)
    assert usage_keep_up() == 0
    at(monkeypatch, T0 + PATIENCE)
    assert usage_keep_up() == 3


def test_rollup_does_not_wait_for_more_than_it_adds_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BATCH_RECORDS", 2)
    assert usage_keep_up() == 2


def test_whoever_needs_the_sums_need_not_wait() -> None:
    assert usage_roll_up() == 2


def test_records_beyond_a_batch_begin_to_wait_when_it_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waiting_since() == T0
    monkeypatch.setattr(rollups, "BATCH_RECORDS", 1)
    at(monkeypatch, T0 + PATIENCE)
    assert usage_keep_up() == 1
    assert waiting_since() == T0 + PATIENCE
    assert usage_keep_up() == 0


def test_nothing_waits_when_all_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    ingest_all()
    assert usage_keep_up() == 5
    assert waiting_since() is None
    at(monkeypatch, T0 + timedelta(hours=1))
    assert usage_keep_up() == 0
    push(make_event(make_key(), at=T0))
    ingest_all()
    assert waiting_since() == T0 + timedelta(hours=1)
