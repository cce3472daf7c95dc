"""Tells the dashboard that this gate runs, and which keys it has dropped for good.

Beside the hot path, on a connection of its own: nothing waits for it. What cannot be written now is written
when Redis is back.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from dataclasses import replace
from typing import cast

import redis.asyncio
from redis.exceptions import RedisError

from accounts.gates import BEAT_S, GateEntry, gates_key
from accounts.receipts import KEPT, receipt_key, receipts_key

logger = logging.getLogger(__name__)

RETRY_S = 0.5
MAX_WAITING = 10_000
MAX_WRITTEN = 100
# How far back a gate looks for what it did not hear, and how many keys of that it takes up again.
MISSED_S = 3_600
MAX_MISSED = 1_000
FORGOTTEN_AFTER_S = 86_400


class Presence:
    """This process among the gates. `confirm` may be called from the loop at any time and does not wait."""

    def __init__(self, url: str, ttl_s: int) -> None:
        self._client = redis.asyncio.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._entry = GateEntry(uuid.uuid4().hex[:12], socket.gethostname(), os.getpid(), ttl_s, 0, 0)
        self._confirmed: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self._is_listening = asyncio.Event()

    @property
    def is_announced(self) -> bool:
        return self._is_listening.is_set()

    def announce(self) -> None:
        """From here on the gate hears of changes; before, nobody may count on its confirmation."""
        self._is_listening.set()

    def confirm(self, digest: str) -> None:
        """The gate has dropped this key."""
        try:
            self._confirmed.put_nowait(digest)
        except asyncio.QueueFull:
            logger.error("confirmation_dropped", extra={"n_waiting": MAX_WAITING})

    async def missed(self) -> list[str]:
        """The keys that ended lately, newest first: those that a gate may not have heard of. Raises RedisError."""
        since_us = await self._now_us() - MISSED_S * 1_000_000
        found = await self._client.zrevrangebyscore(receipts_key(), "+inf", since_us, start=0, num=MAX_MISSED)
        return [digest.decode() for digest in cast("list[bytes]", found)]

    async def keep(self) -> None:
        """Runs until cancelled, and then takes the gate's entry away."""
        try:
            await self._is_listening.wait()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_seen())
                tasks.create_task(self._write_confirmations())
        finally:
            await self._leave()

    async def _keep_seen(self) -> None:
        while True:
            try:
                await self._beat()
            except (RedisError, OSError) as error:
                logger.warning("presence_not_written", extra={"error": str(error)})
            await asyncio.sleep(BEAT_S)

    async def _beat(self) -> None:
        now_us = await self._now_us()
        self._entry = replace(self._entry, started_us=self._entry.started_us or now_us, seen_us=now_us)
        await self._client.hset(gates_key(), self._entry.id, self._entry.encode())
        entries = [GateEntry.decode(text) for text in (await self._client.hgetall(gates_key())).values()]
        gone = [gate.id for gate in entries if gate.seen_us < now_us - FORGOTTEN_AFTER_S * 1_000_000]
        if gone:
            await self._client.hdel(gates_key(), *gone)

    async def _write_confirmations(self) -> None:
        while True:
            digests = [await self._confirmed.get()]
            while len(digests) < MAX_WRITTEN and not self._confirmed.empty():
                digests.append(self._confirmed.get_nowait())
            while not await self._is_written(digests):
                await asyncio.sleep(RETRY_S)

    async def _is_written(self, digests: list[str]) -> bool:
        try:
            now_us = await self._now_us()
            pipe = self._client.pipeline(transaction=False)
            for digest in digests:
                # The first time stands, where the gate is asked or looks back again.
                pipe.hsetnx(receipt_key(digest), f"done:{self._entry.id}", str(now_us))
                pipe.expire(receipt_key(digest), KEPT)
            await pipe.execute()
        except (RedisError, OSError) as error:
            logger.warning("confirmations_not_written", extra={"error": str(error)})
            return False
        return True

    async def _leave(self) -> None:
        try:
            await self._client.hdel(gates_key(), self._entry.id)
        except (RedisError, OSError) as error:
            logger.warning("presence_not_withdrawn", extra={"error": str(error)})
        finally:
            await self._client.aclose()

    async def _now_us(self) -> int:
        seconds, micros = await self._client.time()
        return int(seconds) * 1_000_000 + int(micros)
