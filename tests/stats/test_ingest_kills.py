"""`kill -9` at any moment of the ingest process: nothing is lost, nothing is stored twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from django.conf import settings

from stats.ingest import ingest_all
from stats.models import ShardCursor, UsageRecord
from stats.stream import redis_client, stream_key
from tests.factories import make_event, make_key
from tests.processes import ROOT, process_environment
from tests.road import as_kept, copies, push, records


def cursor() -> ShardCursor:
    return ShardCursor.objects.get()


def numbers() -> list[int]:
    return sorted(UsageRecord.objects.values_list("id", flat=True))


def n_waiting() -> int:
    return redis_client().xlen(stream_key(0))


# What a process is killed at: its own call of one step, before or after the step is done.
_DIE = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from stats import ingest
step, moment = sys.argv[1:]
do = getattr(ingest, step)
def do_and_die(*args, **kwargs):
    if moment == "after":
        do(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(ingest, step, do_and_die)
call_command("ingest_usage", "--once")
"""


def test_process_killed_at_any_step_leaves_all_for_the_next_and_nothing_twice(live: None) -> None:
    events = copies(make_event(make_key()), 46)
    environment = {
        **process_environment(redis_prefix=settings.REDIS_PREFIX),
        "DJANGO_SETTINGS_MODULE": "goongdash.settings",
    }
    moments = [
        ("records_write", "before"),
        ("records_write", "after"),
        ("stream_trim", "before"),
    ]
    for n, (step, moment) in enumerate(moments):
        push(*events[n * 15 : (n + 1) * 15])
        done = subprocess.run([sys.executable, "-c", _DIE, step, moment], cwd=ROOT, env=environment, check=False)
        assert done.returncode == -signal.SIGKILL, (step, moment)

    # What was stored and not trimmed goes with the next that comes.
    push(events[45])
    ingest_all()

    assert records() == as_kept(events)
    assert numbers() == list(range(1, 47))
    assert (cursor().n_records, cursor().n_said, cursor().n_lost, n_waiting()) == (46, 46, 0, 0)


def test_running_ingest_killed_in_the_middle_of_its_work_loses_and_doubles_nothing(live: None) -> None:
    events = copies(make_event(make_key()), 15_000)
    push(*events)
    environment = process_environment(redis_prefix=settings.REDIS_PREFIX)

    for _ in range(3):
        n_before = sum(ShardCursor.objects.values_list("n_records", flat=True))
        process = subprocess.Popen([sys.executable, "manage.py", "ingest_usage"], cwd=ROOT, env=environment)
        # A batch is committed: the process trims, or is on its way through the next one.
        deadline = time.monotonic() + 30
        while sum(ShardCursor.objects.values_list("n_records", flat=True)) == n_before:
            assert time.monotonic() < deadline
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert n_waiting() > 0, "it was done before it was killed: this proves nothing"

    ingest_all()

    assert records() == as_kept(events)
    assert numbers() == list(range(1, 15_001))
    assert (cursor().n_records, cursor().n_said, cursor().n_lost, n_waiting()) == (15_000, 15_000, 0, 0)
