"""What the schedule does for usage may run at any time, twice, or late."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pytest_django import Settings

from goongdash.celery import app
from goongdash.lib.periods import days
from stats import rollups, tasks
from stats.ingest import ingest_all
from stats.models import UsageRecord
from stats.partitions import HOURS, MINUTES, partition_days
from stats.tasks import keep_partitions, roll_up_usage
from tests.factories import T0, make_event, make_key
from tests.road import days as daily
from tests.road import hours, minutes, push, store

TODAY = date(2026, 11, 23)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "utc_now", lambda: T0)


def test_every_scheduled_task_exists_and_expires() -> None:
    app.loader.import_default_modules()

    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["expires"] > 0


def test_roll_up_adds_what_is_new_and_says_how_much() -> None:
    key = make_key()
    push(make_event(key), make_event(key))
    ingest_all()

    assert roll_up_usage() == 2
    assert roll_up_usage() == 0
    assert sum(row[5] for row in daily()) == 2


def test_partitions_are_there_ahead_of_time() -> None:
    ahead = set(days(TODAY, TODAY + timedelta(days=3)))
    assert keep_partitions() <= 4 + 4 + 1
    assert partition_days() >= ahead
    assert partition_days(MINUTES) >= ahead
    assert partition_days(HOURS) >= {TODAY.replace(day=1)}
    assert keep_partitions() == 0


def test_records_are_kept_as_long_as_retention_says(settings: Settings) -> None:
    settings.RAW_RETENTION_DAYS = 2
    key = make_key()
    store(*(make_event(key, at=T0 - timedelta(days=n)) for n in range(5)))

    keep_partitions()

    kept = sorted(UsageRecord.objects.values_list("at", flat=True))
    assert kept == [T0 - timedelta(days=n) for n in (2, 1, 0)]
    assert len(daily()) == 5


def test_minutes_and_hours_are_kept_as_long_as_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "utc_now", lambda: T0)
    key = make_key()
    store(*(make_event(key, at=T0 - timedelta(days=n)) for n in (0, 2, 3, 400, 430)))
    assert (len(minutes()), len(hours())) == (2, 4)
    monkeypatch.setattr(tasks, "utc_now", lambda: T0 + timedelta(days=8))

    keep_partitions()

    # It is December: the hours of October of the year before are gone, those of the month after it are not.
    assert (len(minutes()), len(hours()), len(daily())) == (0, 3, 5)
