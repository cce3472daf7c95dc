"""Runs one gate process: `python -m gate`. Several may run on one port; each stops cleanly on SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import sys

import django
import uvloop
from django.conf import settings

from gate.server import serve
from gate.snapshots import Snapshots, SourceUnavailable


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goongdash.settings")
    django.setup()
    # Threads read keys while the loop serves: it must not wait for five milliseconds, the default, each time.
    sys.setswitchinterval(0.0005)
    _allow_many_connections()
    uvloop.run(_run())


def _allow_many_connections() -> None:
    """Each connection is a file; the usual soft limit of 1,024 is far below what the hard one allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _run() -> None:
    # Models can be imported only after django.setup().
    from gate.assembly import Parts

    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    parts = Parts.from_settings()
    tasks = [asyncio.create_task(work) for work in parts.background()]
    await _first_catalogue(parts.snapshots, stop)
    tasks.append(asyncio.create_task(parts.snapshots.keep_catalogue()))
    await parts.reopening.first()
    _collect_rarely()
    await serve(parts.gate, parts.connections, host=settings.GATE_HOST, port=settings.GATE_PORT, stop=stop)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    parts.close()


def _collect_rarely() -> None:
    """A look at all that is remembered takes a tenth of a second, in which nobody is answered; little is found by it.

    Nothing on the hot path is garbage that only a collector could find.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)


async def _first_catalogue(snapshots: Snapshots, stop: asyncio.Event) -> None:
    """Without the services nothing can be served: waits for PostgreSQL, however long it takes."""
    while not stop.is_set():
        try:
            await snapshots.start()
            return
        except SourceUnavailable:
            await asyncio.sleep(1)


if __name__ == "__main__":
    main()
