"""The usage stream's place in Redis: names of its keys, and the client that reads it.

Keys of one shard share a hash tag, so that its counters and its stream live together in a Redis Cluster.
"""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings


def shard_of(account_id: int) -> int:
    return account_id % settings.USAGE_SHARDS


def shard_prefix(shard: int) -> str:
    """What every Redis key of a shard begins with."""
    return f"{settings.REDIS_PREFIX}:{{u{shard}}}:"


def stream_key(shard: int) -> str:
    return f"{shard_prefix(shard)}events"


def count_key(shard: int) -> str:
    """The running number of the shard's events: what the next entry carries as `n`."""
    return f"{shard_prefix(shard)}said"


def open_key(shard: int) -> str:
    """Is there while the shard's counters are: an emptied store does not have it, and counts nothing until it does."""
    return f"{shard_prefix(shard)}open"


def unreadable_key(shard: int) -> str:
    """Where ingest puts aside entries that it cannot decode: a hash of them by their ids."""
    return f"{shard_prefix(shard)}unreadable"


def redis_client() -> redis.Redis:
    """A client of the store; one connection pool per process."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=10, socket_connect_timeout=5, health_check_interval=30)
