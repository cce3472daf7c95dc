"""Who still uses a key that is being replaced; and its end, when the time is up or it has been quiet."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import redis
from django.db import connection
from django.db.models import F

from accounts.notice_kinds import NoticeKind
from accounts.notices import notice_raise
from accounts.permissions import Permission
from goongdash.lib.clock import from_epoch_us
from keys.errors import KeyHeld
from keys.models import KeyUse, Rotation
from keys.rotation import key_retire
from stats.bounded import MOST_MS, TookTooLong, bounded
from stats.models import ShardCursor
from stats.outcomes import OUTCOMES, Outcome
from stats.receipts import newest_in_no_sum
from stats.stream import count_key, redis_client, shard_of

logger = logging.getLogger(__name__)

N_SHOWN = 10
# A last use is known to the minute.
_MINUTE = timedelta(minutes=1)
# What has been said so long ago may not be counted yet.
_LATE = timedelta(minutes=5)
_ALLOWED = OUTCOMES[Outcome.ALLOWED].number
# By the index of the account's records, in the partitions of one day or two.
_COUNT = """
    SELECT origin, host(ip), count(*), count(*) FILTER (WHERE at > %(hour)s), max(at),
           sum(count(*)) OVER (), sum(count(*) FILTER (WHERE at > %(hour)s)) OVER (), count(*) OVER ()
    FROM stats_usagerecord
    WHERE account_id = %(account)s AND at > %(day)s AND at <= %(now)s AND key_id = %(key)s AND outcome = %(allowed)s
    GROUP BY origin, ip ORDER BY max(at) DESC, origin, ip LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who was let pass with the old key: `origin` is empty where the requests named none."""

    origin: str
    ip: str
    n_day: int
    n_hour: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class OldKeyUse:
    """The last 24 hours and the last hour of it. `last_at` is to the minute, None for a key that never was used.

    Of the `callers`, `n_more` are left out. `is_too_many`: they could not be counted in time.
    """

    callers: list[Caller]
    n_day: int
    n_hour: int
    n_more: int
    last_at: datetime | None
    is_too_many: bool = False


def old_key_use(rotation: Rotation, *, now: datetime) -> OldKeyUse:
    """Who still uses the key that is being replaced, those who did so last first."""
    old = rotation.old
    asked: dict[str, Any] = {
        "account": old.account_id,
        "key": old.pk,
        "day": now - timedelta(days=1),
        "hour": now - timedelta(hours=1),
        "now": now,
        "allowed": _ALLOWED,
        "most": N_SHOWN,
    }
    last_at = _last_use(rotation)
    try:
        with bounded(MOST_MS), connection.cursor() as cursor:
            cursor.execute(_COUNT, asked)
            rows = cursor.fetchall()
    except TookTooLong:
        return OldKeyUse([], 0, 0, 0, last_at, is_too_many=True)
    if not rows:
        return OldKeyUse([], 0, 0, 0, last_at)
    *_rest, n_day, n_hour, n_callers = rows[0]
    callers = [Caller(*row[:5]) for row in rows]
    return OldKeyUse(callers, int(n_day), int(n_hour), n_callers - len(rows), max(row[4] for row in rows))


def rotations_end(*, now: datetime) -> int:
    """Retires every key whose overlap is over, or that has been quiet as long as was asked; returns how many."""
    under_way = Rotation.objects.filter(old__revoked_at=None).select_related("old__account", "old__use", "new")
    n_ended = sum(_end(each, "the overlap was over") for each in under_way.filter(ends_at__lte=now))
    quiet = under_way.filter(ends_at__gt=now, started_at__lte=now - F("quiet_for"))
    return n_ended + sum(_end(each, "it was quiet") for each in quiet if _is_quiet(each, now))


def _end(rotation: Rotation, because: str) -> bool:
    old = rotation.old
    try:
        if not key_retire(key=old, because=because):
            return False
    except KeyHeld:  # It was cancelled in this moment.
        return False
    notice_raise(
        account=old.account,
        kind=NoticeKind.KEY_RETIRED,
        source=f"key:{old.pk}:{rotation.started_at.isoformat()}",
        facts={"key": f"{old.name} {old.masked_text}", "key_id": old.pk},
        permission=Permission.CHANGE_KEYS,
    )
    return True


def _is_quiet(rotation: Rotation, now: datetime) -> bool:
    """Whether nothing passed with the old key for so long, as far as all that was said of it is counted."""
    assert rotation.quiet_for is not None  # noqa: S101 — chosen by the query.
    since, last_at = now - rotation.quiet_for, _last_use(rotation)
    if last_at is not None and last_at + _MINUTE > since:
        return False
    try:
        if not _is_counted(shard_of(rotation.old.account_id), now):
            return False
    except redis.RedisError as error:
        logger.warning("quiet_not_known", extra={"error": str(error)})
        return False
    return newest_in_no_sum(rotation.old) is None


def _is_counted(shard: int, now: datetime) -> bool:
    """Whether the records have all that the gates said, or all but the last minutes of it."""
    cursor = ShardCursor.objects.filter(shard=shard).first()
    n_said = int(redis_client().get(count_key(shard)) or 0)
    if cursor is None:
        return n_said == 0
    read_until = from_epoch_us(int(cursor.stream_id.partition("-")[0]) * 1_000)
    return n_said <= cursor.n_said or read_until > now - _LATE


def _last_use(rotation: Rotation) -> datetime | None:
    use = cast("KeyUse | None", getattr(rotation.old, "use", None))
    return None if use is None else use.used_at
