"""Runs one gate process: `python -m gate`. Several may run on one port; each stops cleanly on SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import TypeVar

import django
import redis.asyncio
import uvloop
from django.conf import settings
from django.db import DatabaseError

from accounts.changes import changes_channel
from gate.changes import listen
from gate.counting import Counter
from gate.desk import Desk
from gate.gate import Gate
from gate.local_limits import LocalLimits
from gate.metrics import Metrics
from gate.presence import Presence
from gate.readings import N_AT_ONCE
from gate.recovery import Recovery
from gate.replay import Replay
from gate.server import GateProtocol, serve
from gate.snapshots import Snapshots, SourceUnavailable
from gate.spool import Spool, SpoolUnavailable
from gate.store import Store
from gate.store_failure import StoreFailure, WhenStoreFails
from gate.tally import Tally
from goongdash.lib.clock import utc_now
from keys.vault import lookup_digest
from stats.stream import shard_prefix, stream_key

logger = logging.getLogger("gate")

# Each lane's readings under way, and the services'.
LOADING_THREADS = 2 * N_AT_ONCE + 1
# PostgreSQL that takes longer is as good as away: known keys go on.
LOADING_TIMEOUT_S = 2.0
T = TypeVar("T")


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
    from gate.loading import load_catalogue, load_keys

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)

    threads = ThreadPoolExecutor(LOADING_THREADS, thread_name_prefix="loading")
    snapshots = Snapshots(
        load_keys=lambda digests: _in_thread(threads, partial(load_keys, digests)),
        load_catalogue=lambda: _in_thread(threads, load_catalogue),
        now=loop.time,
        ttl_s=settings.KEY_CACHE_TTL_S,
        size=settings.KEY_CACHE_SIZE,
    )
    store = Store(settings.REDIS_URL, files("gate").joinpath("count.lua").read_bytes())
    metrics = Metrics()
    failure = _store_failure(loop.time)
    make_counter = partial(
        Counter,
        store,
        [stream_key(shard).encode() for shard in range(settings.USAGE_SHARDS)],
        settings.BILLING_ZONE,
        settings.STORE_TIMEOUT_MS / 1_000,
        utc_now,
        metrics,
        failure,
    )
    tally = Tally(settings.DATA_DIR / "metrics" / str(settings.GATE_PORT), metrics)
    gate = Gate(
        snapshots,
        make_counter,
        lookup_digest,
        tuple(settings.TRUSTED_PROXIES),
        settings.GATE_PUBLIC_URL,
        Desk(
            tally,
            lambda: failure.mode is WhenStoreFails.OPEN or (store.ready.is_set() and not failure.is_away),
            tuple(settings.METRICS_FROM),
        ),
        metrics,
    )
    connections: set[GateProtocol] = set()

    def update_gauges() -> None:
        metrics.gauges = {
            "connections": len(connections),
            "keys": snapshots.n_keys,
            "store_ready": int(store.ready.is_set() and not failure.is_away),
            "spool_events": failure.spool.n_waiting,
            "spool_bytes": failure.spool.n_bytes,
            "spool_failures": failure.spool.n_failures,
        }

    presence = Presence(settings.REDIS_URL, settings.KEY_CACHE_TTL_S)
    background = [
        asyncio.create_task(store.keep_connected()),
        asyncio.create_task(presence.keep()),
        asyncio.create_task(listen(settings.REDIS_URL, changes_channel(), snapshots, presence)),
        asyncio.create_task(_recovery(failure, store).keep_watch()),
        asyncio.create_task(tally.keep_written(update_gauges)),
    ]
    await _first_catalogue(snapshots, stop)
    background.append(asyncio.create_task(snapshots.keep_catalogue()))
    await serve(gate, connections, host=settings.GATE_HOST, port=settings.GATE_PORT, stop=stop)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    tally.end()
    threads.shutdown(wait=False, cancel_futures=True)
    failure.spool.close()


def _store_failure(clock: Callable[[], float]) -> StoreFailure:
    spool = Spool(settings.GATE_SPOOL_DIR, prefix=settings.REDIS_PREFIX, max_bytes=settings.GATE_SPOOL_MAX_BYTES)
    mode = WhenStoreFails(settings.GATE_WHEN_STORE_FAILS)
    if mode is WhenStoreFails.OPEN:
        # Heard of now, and not only when the store fails; until then there is no need of it.
        with suppress(SpoolUnavailable):
            spool.check()
    return StoreFailure(mode, spool, LocalLimits(settings.BILLING_ZONE, settings.GATE_PROCESSES), utc_now, clock)


def _recovery(failure: StoreFailure, store: Store) -> Recovery:
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=10, socket_connect_timeout=5)
    return Recovery(
        client,
        failure,
        Replay(client, failure.spool, stream_key),
        probe_key=f"{shard_prefix(0)}probe",
        timeout_s=settings.STORE_TIMEOUT_MS / 1_000,
        is_connected=store.ready.is_set,
    )


async def _in_thread(threads: ThreadPoolExecutor, load: Callable[[], T]) -> T:
    try:
        work = asyncio.get_running_loop().run_in_executor(threads, load)
        return await asyncio.wait_for(work, LOADING_TIMEOUT_S)
    except (DatabaseError, TimeoutError) as error:
        logger.warning("source_unavailable", extra={"error": str(error) or "no answer in time"})
        raise SourceUnavailable from error


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
