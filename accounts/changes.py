"""Tells every gate that configuration changed, after the transaction that changed it.

The one arrow back from the dashboard to the gate: a line on a Redis channel. A line that is lost costs at
most KEY_CACHE_TTL_S seconds; a line sent before the commit could be answered with the old state, so none is.
"""

from __future__ import annotations

import logging

import redis
from django.conf import settings
from django.db import transaction

from accounts.receipts import receipt_open
from accounts.store import redis_client

logger = logging.getLogger(__name__)


def changes_channel() -> str:
    return f"{settings.REDIS_PREFIX}:changes"


def announce_key_change(digest: str) -> None:
    """The key with this look-up digest is to be dropped by every gate."""
    transaction.on_commit(lambda: _publish(f"key:{digest}"))


def announce_key_end(digest: str) -> None:
    """The key is refused from now on: every gate is to drop it, and then to confirm that it has."""
    transaction.on_commit(lambda: _publish_end(digest))


def announce_account_change(account_id: int) -> None:
    """Every key of this account is to be read anew."""
    transaction.on_commit(lambda: _publish(f"account:{account_id}"))


def announce_catalogue_change() -> None:
    """Services, prices or plans changed: every key is to be read anew."""
    transaction.on_commit(lambda: _publish("catalogue"))


def _publish_end(digest: str) -> None:
    # Lines arrive in order: a gate that reads the second one has acted on the first.
    if not _publish(f"key:{digest}"):
        return
    try:
        receipt_open(digest)
    except redis.RedisError as error:
        logger.error("receipt_not_opened", extra={"error": str(error)})
    _publish(f"confirm:{digest}")


def _publish(line: str) -> bool:
    try:
        redis_client().publish(changes_channel(), line)
    except redis.RedisError as error:
        # The change is committed and must not be reported as failed; gates re-read within their time-to-live.
        logger.error("change_not_announced", extra={"kind": line.partition(":")[0], "error": str(error)})
        return False
    return True
