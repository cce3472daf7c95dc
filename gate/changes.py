"""Listens for announced changes and drops from the snapshots what changed."""

from __future__ import annotations

import asyncio
import logging

import redis.asyncio
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as StoreLost
from redis.exceptions import RedisError

from gate.presence import Presence
from gate.snapshots import Snapshots

logger = logging.getLogger(__name__)

RETRY_S = 0.5
# After so long without a line, Redis is asked whether it is still there; after twice that, it is not.
SILENCE_S = 5.0
# While nothing can be heard, keys are read anew this often: a deleted one must not be believed for long.
UNHEARD_S = 30.0


async def listen(url: str, channel: str, snapshots: Snapshots, presence: Presence) -> None:
    """Runs until cancelled. After every (re)connection all snapshots are in doubt: lines may have been missed.

    So they are, again and again, while there is none.
    """
    loop = asyncio.get_running_loop()
    doubt_at = loop.time() + UNHEARD_S
    while True:
        client = redis.asyncio.Redis.from_url(url, health_check_interval=0)
        try:
            async with client.pubsub() as pubsub:
                await pubsub.subscribe(channel)
                await _follow(pubsub, snapshots, presence)
        except (RedisError, OSError) as error:
            logger.warning("changes_not_heard", extra={"error": str(error)})
            if loop.time() >= doubt_at:
                snapshots.doubt_all()
                doubt_at = loop.time() + UNHEARD_S
            await asyncio.sleep(RETRY_S)
        finally:
            await client.aclose()


async def _follow(pubsub: PubSub, snapshots: Snapshots, presence: Presence) -> None:
    """Until the connection is lost: a dead one says nothing, so it has to be asked."""
    is_asked = False
    while True:
        message = await pubsub.get_message(timeout=SILENCE_S)
        if message is None:
            if is_asked:
                raise StoreLost("no answer")
            await pubsub.ping()
        elif message["type"] == "subscribe":
            # The client subscribes again by itself when a connection breaks; it says so in this way alone.
            await _catch_up(snapshots, presence)
        elif message["type"] == "message":
            _hear(message["data"].decode(), snapshots, presence)
        is_asked = message is None


async def _catch_up(snapshots: Snapshots, presence: Presence) -> None:
    """What was announced while nobody listened: keys that ended are dropped by name, all else is in doubt."""
    snapshots.doubt_all()
    if presence.is_announced:
        for digest in await presence.missed():
            snapshots.drop_key(digest)
            presence.confirm(digest)
    presence.announce()


def _hear(line: str, snapshots: Snapshots, presence: Presence) -> None:
    subject, _, digest = line.partition(":")
    if subject == "confirm":
        presence.confirm(digest)
    else:
        apply(line, snapshots)


def apply(line: str, snapshots: Snapshots) -> None:
    """Acts on one announcement: `key:<digest>`, `account:<id>` or `catalogue`. Others are for newer gates."""
    subject, _, name = line.partition(":")
    if subject == "key":
        snapshots.drop_key(name)
    elif subject == "account" and name.isdecimal():
        snapshots.drop_account(int(name))
    elif subject == "catalogue":
        snapshots.drop_all()
