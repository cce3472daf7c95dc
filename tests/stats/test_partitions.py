"""Each day of the zone has its partition; what is dropped is in the sums, and nothing that is not goes with it."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from goongdash.lib.periods import day_start, days
from stats.ingest import ingest_all
from stats.models import UsageRecord
from stats.partitions import RECORDS, partition_days, partition_name, partitions_drop, partitions_ensure
from tests.factories import T0, make_event, make_key
from tests.road import at_once, push, roll_up_all, store
from tests.road import days as daily

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
SANTIAGO = ZoneInfo("America/Santiago")
# No test of this file shares these days with what others have left behind.
FIRST = date(2031, 3, 1)
WEEK = set(days(FIRST, FIRST + timedelta(days=6)))


def bounds(day: date) -> tuple[datetime, datetime]:
    """From and to of the day's partition, as the database has them."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute(
            """
            SELECT m[1]::timestamptz, m[2]::timestamptz
            FROM pg_class, regexp_match(pg_get_expr(relpartbound, oid), $$FROM \\('(.+)'\\) TO \\('(.+)'\\)$$) AS m
            WHERE relname = %s
            """,
            [partition_name(day)],
        )
        (row,) = cursor.fetchall()
        return row[0], row[1]


@pytest.mark.django_db
def test_missing_days_are_made_once() -> None:
    before = partition_days()

    assert partitions_ensure(WEEK, zone=HANOI) == 7
    assert partitions_ensure(WEEK | {FIRST + timedelta(days=7)}, zone=HANOI) == 1
    assert partitions_ensure(WEEK, zone=HANOI) == 0

    assert partition_days() - before == WEEK | {FIRST + timedelta(days=7)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "first"),
    [(HANOI, FIRST), (ZoneInfo("Asia/Kolkata"), FIRST), (SANTIAGO, date(2026, 9, 5)), (SANTIAGO, date(2026, 4, 3))],
)
def test_partitions_are_the_zones_days_without_gap_also_where_clocks_change(zone: ZoneInfo, first: date) -> None:
    some = list(days(first, first + timedelta(days=3)))

    partitions_ensure(set(some), zone=zone)

    found = [bounds(day) for day in some]
    assert found == [(day_start(day, zone), day_start(day + timedelta(days=1), zone)) for day in some]
    assert all(one[1] == next_[0] for one, next_ in itertools.pairwise(found))


def test_partitions_made_by_many_at_once_are_made_once(live: None) -> None:
    made = at_once(*[lambda: partitions_ensure(WEEK, zone=HANOI)] * 4)

    assert sum(made) == 7
    assert partition_days() >= WEEK
    assert partitions_drop(before=FIRST + timedelta(days=7)) >= 7


@pytest.mark.django_db
def test_days_before_go_and_the_day_itself_stays() -> None:
    partitions_ensure(WEEK, zone=HANOI)
    last = max(WEEK)

    assert partitions_drop(before=last) >= 6

    assert partition_days() & WEEK == {last}
    assert partitions_drop(before=last) == 0


@pytest.mark.django_db
def test_dropped_records_stay_in_the_sums() -> None:
    key = make_key()
    store(make_event(key), make_event(key, at=T0 + timedelta(days=1)))
    sums = daily()

    partitions_drop(before=date(2026, 11, 24))

    assert UsageRecord.objects.get().at == T0 + timedelta(days=1)
    assert daily() == sums


@pytest.mark.django_db
def test_partition_with_a_record_not_in_the_sums_yet_stays_until_it_is() -> None:
    key = make_key()
    store(make_event(key), make_event(key, at=T0 - timedelta(days=1)))
    push(make_event(key, at=T0 - timedelta(days=1)))
    ingest_all()

    partitions_drop(before=date(2026, 11, 24))

    assert UsageRecord.objects.count() == 2
    roll_up_all()
    assert partitions_drop(before=date(2026, 11, 24)) == 1
    assert UsageRecord.objects.count() == 0
    assert sum(row[5] for row in daily()) == 3


@pytest.mark.django_db
def test_foreign_tables_beside_the_partitions_are_left_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE stats_usagerecord_20310301 (id int)")

    assert FIRST not in partition_days()
    partitions_drop(before=date(2100, 1, 1))

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stats_usagerecord_20310301")
        assert cursor.fetchone() == (0,)
    assert RECORDS.name == "stats_usagerecord"
