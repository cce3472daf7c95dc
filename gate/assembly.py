"""Puts a gate process together from the settings: every part once, and each told only of those it needs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any, TypeVar

import redis.asyncio
from django.conf import settings
from django.db import DatabaseError

from accounts.changes import changes_channel
from gate.changes import listen
from gate.counting import Counter
from gate.desk import Desk
from gate.gate import Gate
from gate.loading import load_catalogue, load_keys
from gate.local_limits import LocalLimits
from gate.metrics import Metrics
from gate.presence import Presence
from gate.readings import N_AT_ONCE
from gate.rebuilding import counters_rebuild
from gate.recovery import Recovery
from gate.reopening import Reopening
from gate.replay import Replay
from gate.server import GateProtocol
from gate.snapshots import Snapshots, SourceUnavailable
from gate.spool import Spool, SpoolUnavailable
from gate.store import Store
from gate.store_failure import StoreFailure, WhenStoreFails
from gate.tally import Tally
from goongdash.lib.clock import utc_now
from keys.vault import lookup_digest
from stats.stream import shard_prefix, stream_key

logger = logging.getLogger(__name__)

# Each lane's readings under way, and the services'.
LOADING_THREADS = 2 * N_AT_ONCE + 1
# PostgreSQL that takes longer is as good as away: known keys go on.
LOADING_TIMEOUT_S = 2.0
T = TypeVar("T")


@dataclass(slots=True)
class Parts:
    """A gate and what works beside it. Models must be loaded, and a loop must run, before one is made."""

    threads: ThreadPoolExecutor
    snapshots: Snapshots
    store: Store
    failure: StoreFailure
    metrics: Metrics
    tally: Tally
    gate: Gate
    reopening: Reopening
    connections: set[GateProtocol] = field(default_factory=set)

    @classmethod
    def from_settings(cls) -> Parts:
        threads = ThreadPoolExecutor(LOADING_THREADS, thread_name_prefix="loading")
        snapshots = _snapshots(threads)
        store = Store(settings.REDIS_URL, files("gate").joinpath("count.lua").read_bytes())
        failure, metrics = _store_failure(), Metrics()
        tally = Tally(settings.DATA_DIR / "metrics" / str(settings.GATE_PORT), metrics)
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
        gate = Gate(
            snapshots,
            make_counter,
            lookup_digest,
            tuple(settings.TRUSTED_PROXIES),
            settings.GATE_PUBLIC_URL,
            Desk(tally, lambda: _is_ready(store, failure), tuple(settings.METRICS_FROM)),
            metrics,
        )
        reopening = Reopening(store.may_be_empty, lambda: asyncio.to_thread(counters_rebuild))
        return cls(threads, snapshots, store, failure, metrics, tally, gate, reopening)

    def background(self) -> list[Coroutine[Any, Any, None]]:
        """What runs beside the hot path for as long as the process does."""
        presence = Presence(settings.REDIS_URL, settings.KEY_CACHE_TTL_S)
        return [
            self.store.keep_connected(),
            self.reopening.keep_watch(),
            presence.keep(),
            listen(settings.REDIS_URL, changes_channel(), self.snapshots, presence),
            _recovery(self.failure, self.store).keep_watch(),
            self.tally.keep_written(self._update_gauges),
        ]

    def close(self) -> None:
        self.tally.end()
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.failure.spool.close()

    def _update_gauges(self) -> None:
        spool = self.failure.spool
        self.metrics.gauges = {
            "connections": len(self.connections),
            "keys": self.snapshots.n_keys,
            "store_ready": int(self.store.ready.is_set() and not self.failure.is_away),
            "spool_events": spool.n_waiting,
            "spool_bytes": spool.n_bytes,
            "spool_failures": spool.n_failures,
        }


def _is_ready(store: Store, failure: StoreFailure) -> bool:
    return failure.mode is WhenStoreFails.OPEN or (store.ready.is_set() and not failure.is_away)


def _snapshots(threads: ThreadPoolExecutor) -> Snapshots:
    return Snapshots(
        load_keys=lambda digests: _in_thread(threads, partial(load_keys, digests)),
        load_catalogue=lambda: _in_thread(threads, load_catalogue),
        now=asyncio.get_running_loop().time,
        ttl_s=settings.KEY_CACHE_TTL_S,
        size=settings.KEY_CACHE_SIZE,
    )


async def _in_thread(threads: ThreadPoolExecutor, load: Callable[[], T]) -> T:
    try:
        work = asyncio.get_running_loop().run_in_executor(threads, load)
        return await asyncio.wait_for(work, LOADING_TIMEOUT_S)
    except (DatabaseError, TimeoutError) as error:
        logger.warning("source_unavailable", extra={"error": str(error) or "no answer in time"})
        raise SourceUnavailable from error


def _store_failure() -> StoreFailure:
    spool = Spool(settings.GATE_SPOOL_DIR, prefix=settings.REDIS_PREFIX, max_bytes=settings.GATE_SPOOL_MAX_BYTES)
    mode = WhenStoreFails(settings.GATE_WHEN_STORE_FAILS)
    if mode is WhenStoreFails.OPEN:
        # Heard of now, and not only when the store fails; until then there is no need of it.
        with suppress(SpoolUnavailable):
            spool.check()
    limits = LocalLimits(settings.BILLING_ZONE, settings.GATE_PROCESSES)
    return StoreFailure(mode, spool, limits, utc_now, asyncio.get_running_loop().time)


def _recovery(failure: StoreFailure, store: Store) -> Recovery:
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=10, socket_connect_timeout=5)
    return Recovery(
        client,
        failure,
        Replay(client, failure.spool, stream_key),
        probe_key=f"{shard_prefix(0)}probe",
        timeout_s=settings.STORE_TIMEOUT_MS / 1_000,
        is_connected=store.ready.is_set,
        on_emptied=store.may_be_empty.set,
    )
