"""Tells every gate that configuration changed, after the transaction that changed it.

The one arrow back from the dashboard to the gate: a line on a Redis channel. A line that is lost costs at
most KEY_CACHE_TTL_S seconds; a line sent before the commit could be answered with the old state, so none is.
"""

from __future__ import annotations

import logging
from functools import cache

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)


def changes_channel() -> str:
    return f"{settings.REDIS_PREFIX}:changes"


def announce_key_change(digest: str) -> None:
    """The key with this look-up digest is to be dropped by every gate."""
    transaction.on_commit(lambda: _publish(f"key:{digest}"))


def announce_account_change(account_id: int) -> None:
    """Every key of this account is to be read anew."""
    transaction.on_commit(lambda: _publish(f"account:{account_id}"))


def announce_catalogue_change() -> None:
    """Services, prices or plans changed: every key is to be read anew."""
    transaction.on_commit(lambda: _publish("catalogue"))


@cache
def _client(url: str) -> redis.Redis:
    # One more try, for a connection that had gone stale; the user waits for the answer.
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1))


def _publish(line: str) -> None:
    try:
        _client(settings.REDIS_URL).publish(changes_channel(), line)
    except redis.RedisError as error:
        # The change is committed and must not be reported as failed; gates re-read within their time-to-live.
        logger.error("change_not_announced", extra={"kind": line.partition(":")[0], "error": str(error)})
