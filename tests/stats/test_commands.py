"""The commands for usage: what they say to people and scripts, how they end, and that --help needs nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from goongdash.lib.clock import utc_now
from stats.models import DailyUsage, ShardCursor, UsageRecord
from stats.stream import redis_client, stream_key
from tests.factories import make_account, make_event, make_key
from tests.processes import ROOT, process_environment
from tests.road import copies, push, roll_up_all, store

COMMANDS = ["ingest_usage", "roll_up_usage", "rebuild_rollups"]


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue().strip()


def run_json(name: str, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(name, *arguments, "--json"))
    return answer


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_the_command_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command(name, "--help")

    assert end.value.code == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.django_db
def test_ingest_once_stores_what_waits_and_ends() -> None:
    push(*copies(make_event(make_key()), 5))

    assert run_json("ingest_usage", "--once") == {"entries": 5}
    assert run("ingest_usage", "--once") == "0 stream entries stored."
    assert UsageRecord.objects.count() == 5
    assert redis_client().xlen(stream_key(0)) == 0


def test_running_ingest_stores_as_events_come_and_ends_on_sigterm_with_nothing_half_done(live: None) -> None:
    key = make_key()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "ingest_usage"],
        cwd=ROOT,
        env=process_environment(redis_prefix=settings.REDIS_PREFIX),
        stderr=subprocess.DEVNULL,
    )
    for n in range(1, 4):
        push(make_event(key))
        while not ShardCursor.objects.filter(n_records=n).exists():
            assert process.poll() is None

    process.send_signal(signal.SIGTERM)

    assert process.wait(15) == 0
    assert UsageRecord.objects.count() == 3


@pytest.mark.django_db
def test_roll_up_takes_waiting_events_all_the_way() -> None:
    push(*copies(make_event(make_key()), 4))

    assert run_json("roll_up_usage") == {"entries": 4, "records": 4}
    assert run("roll_up_usage") == "0 records added to the sums."
    assert DailyUsage.objects.get().n_requests == 4


@pytest.mark.django_db
def test_rebuild_repairs_sums_from_their_records() -> None:
    key = make_key(make_account())
    now = utc_now()
    store(*copies(make_event(key, at=now), 3), make_event(key, at=now - timedelta(days=2)))
    DailyUsage.objects.update(n_requests=77)

    facts = run_json("rebuild_rollups")

    assert facts["records"] == 4
    assert facts["days"] == settings.RAW_RETENTION_DAYS + 1
    assert sorted(DailyUsage.objects.values_list("n_requests", flat=True)) == [1, 3]


@pytest.mark.django_db
def test_rebuild_of_one_day_leaves_the_others() -> None:
    key = make_key()
    now = utc_now()
    store(make_event(key, at=now), make_event(key, at=now - timedelta(days=2)))
    day = now.astimezone(settings.BILLING_ZONE).date().isoformat()
    DailyUsage.objects.update(n_requests=77)

    facts = run_json("rebuild_rollups", "--from", day, "--to", day)

    assert facts == {"from": day, "to": day, "days": 1, "records": 1, "dry_run": False}
    assert sorted(DailyUsage.objects.values_list("n_requests", flat=True)) == [1, 77]
    assert roll_up_all() == 0


@pytest.mark.django_db
def test_rebuild_of_one_account_leaves_those_of_others() -> None:
    mine, others = make_account("mine@example.com"), make_account()
    store(*(make_event(make_key(account), at=utc_now()) for account in (mine, others)))
    DailyUsage.objects.update(n_requests=77)

    facts = run_json("rebuild_rollups", "--account", "mine@example.com")

    assert facts["records"] == 1
    assert dict(DailyUsage.objects.values_list("account_id", "n_requests")) == {mine.pk: 1, others.pk: 77}
    with pytest.raises(CommandError, match="no account"):
        run("rebuild_rollups", "--account", "nobody@example.com")


@pytest.mark.django_db
def test_dry_run_of_a_rebuild_counts_and_writes_nothing() -> None:
    store(make_event(make_key(), at=utc_now()))
    DailyUsage.objects.update(n_requests=77)

    facts = run_json("rebuild_rollups", "--dry-run")

    assert (facts["records"], facts["dry_run"]) == (1, True)
    assert DailyUsage.objects.get().n_requests == 77


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "yesterday"],
        ["--from", "2026-02-30"],
        ["--to", "0001-01-01"],
        ["--from", "9999-12-31"],
        ["--from", "2026-11-02", "--to", "2026-11-01"],
    ],
)
def test_bad_days_are_refused_with_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        run("rebuild_rollups", *arguments)

    assert refused.value.returncode == 2 or "not a day" in str(refused.value) or "out of range" in str(refused.value)
