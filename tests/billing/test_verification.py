"""`verify_usage` holds on a true flow, and finds and names whatever has been tampered with or lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from billing.ledger import usage_charge
from billing.management.commands import verify_usage as command
from billing.models import EntryKind, LedgerEntry
from billing.statements import month_close
from billing.verification import Verification, usage_verify
from keys.services import CreatedKey
from stats.ingest import ingest_all, ingest_shard
from stats.models import DailyOriginUsage, DailyUsage, HourlyUsage, MinuteUsage, ShardCursor, UsageRecord
from stats.outcomes import Outcome
from stats.partitions import HOURS, partitions_drop
from stats.retention import hours_from
from stats.stream import count_key, redis_client, stream_key
from tests.billing.books import OCTOBER, old_account, stop_clock
from tests.factories import T0, make_event, make_key
from tests.road import at_once, copies, push, roll_up_all, store

TODAY, DAY = date(2026, 11, 23), date(2026, 11, 21)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)
    monkeypatch.setattr(command, "utc_now", lambda: T0)


def true_flow() -> CreatedKey:
    """Twelve events of five days, two of them of today, all the way into the ledger as far as it goes."""
    key = make_key(old_account())
    store(
        *copies(make_event(key), 2),
        *copies(make_event(key, at=T0 - timedelta(days=2)), 5, apart=timedelta(minutes=30)),
        *copies(make_event(key, at=T0 - timedelta(days=2), outcome=Outcome.DAILY_QUOTA), 2),
        make_event(key, at=T0 - timedelta(days=20)),
        make_event(key, at=T0 - timedelta(days=40)),
        make_event(key, at=T0 - timedelta(days=1), service_id=0, outcome=Outcome.SERVICE_UNKNOWN),
    )
    list(month_close(month=OCTOBER, now=T0))
    usage_charge(before=TODAY)
    return key


@pytest.fixture
def key(db: None) -> CreatedKey:
    return true_flow()


@dataclass(frozen=True)
class Answer:
    code: int
    facts: dict[str, Any]
    text: str


def verify(*arguments: str) -> Answer:
    """What the command says to scripts and to people, and how it ends, which is the same both times."""
    said, codes = [], []
    for more in (["--json"], []):
        out = StringIO()
        try:
            call_command("verify_usage", "--wait", "0", *arguments, *more, stdout=out)
            codes.append(0)
        except SystemExit as end:
            codes.append(int(end.code or 0))
        said.append(out.getvalue())
    assert codes[0] == codes[1]
    return Answer(codes[0], json.loads(said[0]), said[1])


def test_true_flow_has_difference_zero(key: CreatedKey) -> None:
    answer = verify()

    assert answer.code == 0
    assert answer.facts["ok"] is True
    assert answer.facts["difference"] == 0
    assert answer.facts["differences"] == []
    assert [answer.facts[f"n_{side}"] for side in ("events", "records", "hours", "days")] == [12] * 4
    assert answer.facts["cost_days_micro_usd"] == 9 * 5_000
    assert answer.facts["cost_ledger_micro_usd"] == 7 * 5_000
    assert answer.facts["pending_charge_micro_usd"] == 2 * 5_000
    assert answer.text.rstrip().endswith("difference 0")


def test_empty_installation_has_difference_zero(db: None) -> None:
    assert verify().facts["difference"] == 0


def delete_record() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM stats_usagerecord WHERE id = (SELECT max(id) FROM stats_usagerecord WHERE outcome = 0"
            " AND at BETWEEN %s AND %s)",
            [T0 - timedelta(days=2), T0 - timedelta(days=1)],
        )


def delete_every_record_of_a_day() -> None:
    UsageRecord.objects.filter(at__gte=T0 - timedelta(days=2), at__lt=T0 - timedelta(days=1)).delete()


def change_record() -> None:
    of_the_day = UsageRecord.objects.filter(outcome=0, at__gte=T0 - timedelta(days=2), at__lt=T0 - timedelta(days=1))
    first = of_the_day.order_by("id")[0]
    UsageRecord.objects.filter(pk=first.pk).update(cost_micro_usd=1)


def change_minute() -> None:
    minute = MinuteUsage.objects.filter(outcome=0).order_by("minute_at")[0]
    MinuteUsage.objects.filter(pk=minute.pk).update(units=minute.units + 1)


def change_origin() -> None:
    DailyOriginUsage.objects.filter(day_on=DAY, outcome=0).update(cost_micro_usd=1)


def change_hour() -> None:
    hour = HourlyUsage.objects.filter(outcome=0, hour_at__gte=T0 - timedelta(days=2)).order_by("id")[0]
    HourlyUsage.objects.filter(pk=hour.pk).update(n_requests=hour.n_requests + 1)


def change_day() -> None:
    DailyUsage.objects.filter(day_on=DAY, outcome=0).update(cost_micro_usd=1)


def delete_day() -> None:
    DailyUsage.objects.filter(day_on=DAY, outcome=0).delete()


def add_day() -> None:
    day = DailyUsage.objects.filter(day_on=DAY, outcome=0).get()
    day.pk, day.key_id = None, day.key_id + 1
    day.save()


def drop_charge() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE billing_ledgerentry DISABLE TRIGGER ledger_is_append_only")
        LedgerEntry.objects.filter(usage_on=DAY).delete()
        cursor.execute("ALTER TABLE billing_ledgerentry ENABLE TRIGGER ledger_is_append_only")


def charge_twice() -> None:
    entry = LedgerEntry.objects.get(usage_on=DAY)
    entry.pk, entry.source = None, "2026-11-21#2"
    entry.save()


def charge_late_twice() -> None:
    entry = LedgerEntry.objects.get(usage_on=DAY)
    entry.pk, entry.kind = None, EntryKind.LATE_USAGE
    entry.save()


@pytest.mark.parametrize(
    ("tamper", "sides"),
    [
        (delete_record, {"events - records", "records - hours"}),
        (delete_every_record_of_a_day, {"events - records", "records - hours"}),
        (change_record, {"records - hours"}),
        (change_minute, {"minutes - hours"}),
        (change_hour, {"records - hours", "minutes - hours", "hours - days"}),
        (change_origin, {"origins - days"}),
        (change_day, {"hours - days", "origins - days", "days - ledger"}),
        (delete_day, {"hours - days", "origins - days", "days - ledger"}),
        (add_day, {"hours - days", "origins - days", "days - ledger"}),
        (drop_charge, {"days - ledger"}),
        (charge_twice, {"days - ledger"}),
        (charge_late_twice, {"days - ledger"}),
    ],
)
def test_tampering_is_found_and_named(key: CreatedKey, tamper: Callable[[], None], sides: set[str]) -> None:
    tamper()

    answer = verify()

    assert answer.code == 1
    assert answer.facts["ok"] is False
    assert answer.facts["difference"] > 0
    assert {difference["sides"] for difference in answer.facts["differences"]} == sides
    for difference in answer.facts["differences"]:
        if difference["sides"] != "events - records":
            assert (difference["account_id"], difference["day_on"]) == (key.key.account_id, str(DAY))
            assert f"DIFFERENCE {difference['sides']} of account {key.key.account_id} on {DAY}" in answer.text
    assert f"{len(answer.facts['differences'])} differences" in answer.text


def test_difference_tells_which_side_has_how_much_more(key: CreatedKey) -> None:
    change_day()

    hours, _, ledger = usage_verify(T0).differences

    assert (hours.sides, hours.n_requests, hours.units, hours.cost_micro_usd) == ("hours - days", 0, 0, 24_999)
    assert (ledger.sides, ledger.n_requests, ledger.units, ledger.cost_micro_usd) == ("days - ledger", 0, 0, -24_999)


def test_lost_events_are_found_and_named(key: CreatedKey) -> None:
    redis_client().incrby(count_key(0), 3)
    store(make_event(key))

    answer = verify()

    assert answer.code == 1
    assert answer.facts["n_lost"] == answer.facts["difference"] == 3
    assert answer.facts["n_events"] == answer.facts["n_records"] + 3
    assert [(d["sides"], d["n_requests"]) for d in answer.facts["differences"]] == [("events lost", 3)]


def test_unreadable_entry_is_named_and_its_events_are_counted_once(key: CreatedKey) -> None:
    redis_client().xadd(stream_key(0), {"t": 1, "n": 12, "e": "garbled\ngarbled"})
    redis_client().incrby(count_key(0), 2)
    store(make_event(key))

    found = usage_verify(T0)

    assert [(d.sides, d.n_requests) for d in found.differences] == [("events lost", 2), ("entries unreadable", 1)]
    assert found.n_events == 15


def test_what_is_under_way_is_pending_and_no_difference(key: CreatedKey) -> None:
    push(*copies(make_event(key), 3))
    stored = usage_verify(T0)
    ingest_all()
    rolled = usage_verify(T0)

    assert (stored.n_pending_events, stored.n_pending_records, stored.holds) == (3, 0, True)
    assert (rolled.n_pending_events, rolled.n_pending_records, rolled.holds) == (0, 3, True)
    roll_up_all()
    done = usage_verify(T0)
    assert (done.n_pending_events, done.n_pending_records, done.n_days, done.holds) == (0, 0, 15, True)


def test_yesterday_may_be_charged_until_the_grace_is_over_and_no_longer(db: None) -> None:
    store(make_event(make_key(old_account()), at=T0 - timedelta(days=1)))
    midnight = T0.replace(hour=17) - timedelta(days=1)

    assert usage_verify(midnight + timedelta(hours=2, microseconds=-1)).holds
    late = usage_verify(midnight + timedelta(hours=2))
    assert [(d.sides, d.cost_micro_usd) for d in late.differences] == [("days - ledger", 5_000)]


def test_records_dropped_by_retention_are_no_difference(key: CreatedKey, settings: Settings) -> None:
    settings.RAW_RETENTION_DAYS = 10
    assert usage_verify(T0).holds

    partitions_drop(before=TODAY - timedelta(days=10))

    assert UsageRecord.objects.count() == 10
    found = usage_verify(T0)
    assert (found.holds, found.n_events, found.n_records, found.n_days) == (True, 12, 12, 12)


def test_late_event_for_a_dropped_day_is_no_difference(key: CreatedKey) -> None:
    partitions_drop(before=TODAY - timedelta(days=35))
    store(make_event(key, at=T0 - timedelta(days=40)))
    usage_charge(before=TODAY)

    found = usage_verify(T0)

    assert found.differences == ()
    assert (found.n_events, found.n_records, found.n_days) == (13, 13, 13)


def test_hours_dropped_by_retention_are_no_difference(key: CreatedKey) -> None:
    store(make_event(key, at=T0 - timedelta(days=400)))
    usage_charge(before=TODAY)
    later = timedelta(days=60)
    assert partitions_drop(before=hours_from(TODAY + later), table=HOURS) == 1

    found = usage_verify(T0 + later)

    # Today was charged in no month since.
    assert [d.sides for d in found.differences] == ["days - ledger"]
    assert (found.n_days, found.n_hours) == (13, 12)


def test_verification_beside_a_working_installation_sees_no_half_done_thing(live: None) -> None:
    key = true_flow()
    push(*copies(make_event(key), 400))

    def work() -> list[Verification]:
        ingest_all_in_small_steps()
        roll_up_all()
        return []

    def ingest_all_in_small_steps() -> None:
        while ingest_shard(0, limit=15):
            roll_up_all()

    def look() -> list[Verification]:
        return [usage_verify(T0) for _ in range(12)]

    _, *looks = at_once(work, look, look)

    for found in (*looks[0], *looks[1]):
        assert found.differences == ()
        assert found.n_hours == found.n_days == found.n_records - found.n_pending_records
    assert ShardCursor.objects.get().n_rolled_up == 412
