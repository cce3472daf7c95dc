"""Has the counters rebuilt where the store may have lost them; until then its scripts count nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from django.db import DatabaseError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

RETRY_S = 0.5
# A gate that starts waits so long for its store; after that it answers as when the store is away.
FIRST_S = 5.0


class Reopening:
    """`keep_watch` runs beside the gate until it is cancelled; `rebuild` does nothing where nothing is missing."""

    def __init__(self, may_be_empty: asyncio.Event, rebuild: Callable[[], Awaitable[int]]) -> None:
        self._may_be_empty = may_be_empty
        self._rebuild = rebuild
        self._is_done_once = asyncio.Event()

    async def first(self) -> None:
        """Returns when the store has been looked at once, or does not answer."""
        try:
            await asyncio.wait_for(self._is_done_once.wait(), FIRST_S)
        except TimeoutError:
            logger.warning("store_not_looked_at", extra={"timeout_s": FIRST_S})

    async def keep_watch(self) -> None:
        while True:
            await self._may_be_empty.wait()
            # Before, and not after: what is found missing meanwhile is to be looked at again.
            self._may_be_empty.clear()
            try:
                n_shards = await self._rebuild()
            except (DatabaseError, RedisError, OSError) as error:
                logger.warning("counters_not_rebuilt", extra={"error": str(error)})
                self._may_be_empty.set()
                await asyncio.sleep(RETRY_S)
                continue
            except Exception:
                # A fault of ours must not end the watch: without it nothing would ever be counted again.
                logger.exception("rebuilding_failed")
                self._may_be_empty.set()
                await asyncio.sleep(RETRY_S)
                continue
            self._is_done_once.set()
            if n_shards:
                logger.warning("counters_rebuilt", extra={"n_shards": n_shards})
