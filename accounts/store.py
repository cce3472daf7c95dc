"""The dashboard's client of Redis, for what a user waits for."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


def redis_client() -> redis.Redis:
    """One connection pool per process."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> redis.Redis:
    # One more try, for a connection that had gone stale.
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1))
