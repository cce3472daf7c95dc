"""Watches a store that has failed, lets the gate use it again, and has replayed what was spooled meanwhile.

The store is back when it has written something within the budget: one that is read-only, full, or slow is not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import redis.asyncio
from redis.exceptions import RedisError

from gate.replay import Replay
from gate.store_failure import StoreFailure

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
# What dead gates have left is looked for this often.
ADOPT_EVERY_S = 5.0
RETRY_S = 1.0


class Recovery:
    """`keep_watch` runs beside the gate until it is cancelled.

    `is_connected` tells of the counter's own connection, `on_emptied` is told that a replay found no counters.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        failure: StoreFailure,
        replay: Replay,
        *,
        probe_key: str,
        timeout_s: float,
        is_connected: Callable[[], bool],
        on_emptied: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._failure = failure
        self._replay = replay
        self._probe_key = probe_key
        self._timeout_s = timeout_s
        self._is_connected = is_connected
        self._on_emptied = on_emptied
        self._next_look_at = 0.0

    async def keep_watch(self) -> None:
        while True:
            try:
                await self._look()
            except (RedisError, OSError) as error:
                if "EMPTIED" in str(error):
                    self._on_emptied()
                logger.warning("replay_waits", extra={"error": str(error)})
                await asyncio.sleep(RETRY_S)
            except Exception:
                # A fault of ours must not leave the store away for ever.
                logger.exception("recovery_failed")
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        breaker, now = self._failure.breaker, self._failure.clock()
        if breaker.may_probe(now):
            await self._probe()
        elif not breaker.is_open and (now >= self._next_look_at or self._failure.spool.n_waiting):
            self._next_look_at = now + ADOPT_EVERY_S
            if await self._replay.run():
                self._failure.recovered()

    async def _probe(self) -> None:
        breaker, clock = self._failure.breaker, self._failure.clock
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._client.set(self._probe_key, 1, px=1_000)
        except (RedisError, OSError, TimeoutError):
            breaker.failed(clock())
            return
        if self._is_connected():
            breaker.probe_succeeded(clock())
            logger.warning("store_back")
