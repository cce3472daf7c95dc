"""Rebuilt sums are exactly those that adding gave, beside a working ingest too; what has no records stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from goongdash.lib.periods import day_of
from keys.services import CreatedKey
from stats import rollups
from stats.ingest import ingest_all, ingest_shard
from stats.models import DailyUsage, HourlyUsage
from stats.partitions import partitions_drop
from stats.rollups import rollups_rebuild
from tests.factories import T0, make_event, make_key
from tests.road import at_once, copies, push, roll_up_all, store
from tests.stats.sums import HANOI, assert_sums_are, set_zone

TODAY = day_of(T0, HANOI)
# Santiago leaves midnight out, Havana repeats the hour after it.
CHANGES = {
    "America/Santiago": datetime(2026, 9, 6, 4, tzinfo=UTC),
    "America/Havana": datetime(2026, 11, 1, 5, tzinfo=UTC),
}


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "utc_now", lambda: T0)


@pytest.fixture
def key(db: None) -> CreatedKey:
    return make_key()


def test_rebuild_beside_rollup_and_ingest_doubles_and_loses_nothing(
    live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = copies(make_event(make_key()), 200, apart=timedelta(minutes=1))
    push(*events[:100])
    ingest_all()
    roll_up_all()
    push(*events[100:])
    monkeypatch.setattr(rollups, "BATCH_RECORDS", 9)

    def ingest_in_small_steps() -> int:
        while ingest_shard(0, limit=7):
            pass
        return 0

    def rebuild() -> int:
        return sum(rollups_rebuild(first=TODAY, last=TODAY) for _ in range(8))

    at_once(ingest_in_small_steps, roll_up_all, rebuild, rebuild)
    roll_up_all()

    assert_sums_are(events)


@pytest.mark.parametrize("name", ["Asia/Ho_Chi_Minh", "Asia/Kolkata", "America/Santiago", "America/Havana"])
def test_rebuild_gives_what_adding_gave(
    key: CreatedKey, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    zone = set_zone(settings, name)
    change = CHANGES.get(name, T0)
    monkeypatch.setattr(rollups, "utc_now", lambda: change)
    events = copies(make_event(key, at=change - timedelta(hours=50)), 110, apart=timedelta(minutes=55))
    for start in range(0, 110, 20):
        store(*events[start : start + 20])
    assert_sums_are(events, zone)
    HourlyUsage.objects.update(n_requests=99)
    DailyUsage.objects.update(cost_micro_usd=1)

    n_records = rollups_rebuild(first=day_of(events[0].at, zone), last=day_of(events[-1].at, zone))

    assert n_records == 110
    assert_sums_are(events, zone)


def test_rebuild_takes_only_the_days_it_is_given(key: CreatedKey) -> None:
    events = [make_event(key, at=T0 - timedelta(days=n)) for n in range(4)]
    store(*events)
    DailyUsage.objects.update(n_requests=50)

    rollups_rebuild(first=TODAY - timedelta(days=2), last=TODAY - timedelta(days=1))

    by_day = dict(DailyUsage.objects.values_list("day_on", "n_requests"))
    assert [by_day[TODAY - timedelta(days=n)] for n in range(4)] == [50, 1, 1, 50]


def test_rebuild_leaves_what_is_beyond_the_watermark_to_the_rollup(key: CreatedKey) -> None:
    added, waiting = copies(make_event(key), 3), copies(make_event(key), 2)
    store(*added)
    push(*waiting)
    ingest_all()

    assert rollups_rebuild(first=TODAY, last=TODAY) == 3

    assert_sums_are(added)
    roll_up_all()
    assert_sums_are([*added, *waiting])


def test_rebuild_leaves_sums_alone_whose_records_are_dropped(key: CreatedKey) -> None:
    events = [make_event(key, at=T0 - timedelta(days=n)) for n in range(3)]
    store(*events)
    partitions_drop(before=TODAY)

    assert rollups_rebuild(first=TODAY - timedelta(days=2), last=TODAY) == 1

    assert_sums_are(events)


def test_rebuild_leaves_sums_alone_though_a_late_event_came_after_the_drop(key: CreatedKey) -> None:
    old = copies(make_event(key, at=T0 - timedelta(days=60)), 5)
    store(*old)
    partitions_drop(before=TODAY)
    late = make_event(key, at=T0 - timedelta(days=60))
    store(late)

    assert rollups_rebuild(first=TODAY - timedelta(days=61), last=TODAY) == 0

    assert_sums_are([*old, late])
