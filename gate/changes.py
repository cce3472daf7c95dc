"""Listens for announced changes and drops from the snapshots what changed."""

from __future__ import annotations

import asyncio
import logging

import redis.asyncio
from redis.exceptions import RedisError

from gate.snapshots import Snapshots

logger = logging.getLogger(__name__)

RETRY_S = 0.5


async def listen(url: str, channel: str, snapshots: Snapshots) -> None:
    """Runs until cancelled. After every (re)connection all snapshots are in doubt: lines may have been missed."""
    while True:
        client = redis.asyncio.Redis.from_url(url, health_check_interval=10)
        try:
            async with client.pubsub() as pubsub:
                await pubsub.subscribe(channel)
                snapshots.doubt_all()
                async for message in pubsub.listen():
                    if message["type"] == "message":
                        apply(message["data"].decode(), snapshots)
        except (RedisError, OSError) as error:
            logger.warning("changes_not_heard", extra={"error": str(error)})
            await asyncio.sleep(RETRY_S)
        finally:
            await client.aclose()


def apply(line: str, snapshots: Snapshots) -> None:
    """Acts on one announcement: `key:<digest>`, `account:<id>` or `catalogue`. Others are for newer gates."""
    subject, _, name = line.partition(":")
    if subject == "key":
        snapshots.drop_key(name)
    elif subject == "account" and name.isdecimal():
        snapshots.drop_account(int(name))
    elif subject == "catalogue":
        snapshots.drop_all()
