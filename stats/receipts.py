"""What is known of the end of a key: when it was refused, which gates confirmed it, when it was last accepted."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.db.models import Max, QuerySet

from accounts.models import Account
from accounts.receipts import Receipt, receipt_read
from keys.models import ApiKey
from stats.ingest import SHARD_BITS
from stats.models import HourlyUsage, ShardCursor, UsageRecord
from stats.outcomes import OUTCOMES, Outcome
from stats.stream import shard_of

logger = logging.getLogger(__name__)

# So long after a key's end its last requests may still be on their way into the records.
COUNTED_AFTER = timedelta(seconds=10)
_ALLOWED = OUTCOMES[Outcome.ALLOWED].number
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LastAccepted:
    """`at` the instant, or the beginning of the hour where the hour's records have been dropped."""

    at: datetime
    is_exact: bool


@dataclass(frozen=True, slots=True)
class KeyReceipt:
    """The receipt of a deleted or disabled key as the page shows it; `gates` is None where none is kept."""

    key: ApiKey
    ended_at: datetime
    gates: Receipt | None
    is_store_away: bool
    last_accepted: LastAccepted | None
    now: datetime

    @property
    def forced_at(self) -> datetime:
        """From when on every gate refuses the key, whatever it has heard."""
        ttl = timedelta(seconds=settings.KEY_CACHE_TTL_S)
        return self.gates.forced_at if self.gates and self.gates.confirmations else self.ended_at + ttl

    @property
    def is_forced(self) -> bool:
        return self.now >= self.forced_at

    @property
    def is_final(self) -> bool:
        """Whether nothing of it changes any more."""
        is_confirmed = self.gates is not None and not self.gates.missing
        return self.now >= self.ended_at + COUNTED_AFTER and (is_confirmed or self.is_forced)


def ended_keys_of(account: Account) -> QuerySet[ApiKey]:
    """The account's deleted and disabled keys, those that ended last first."""
    keys = ApiKey.objects.filter(account=account).exclude(revoked_at=None, disabled_at=None)
    return keys.order_by("-revoked_at", "-disabled_at", "-pk")


def key_receipt(key: ApiKey, *, now: datetime) -> KeyReceipt:
    """The receipt of a key that is deleted or disabled."""
    ended_at = key.revoked_at or key.disabled_at
    assert ended_at is not None, "this key has not ended"  # noqa: S101 — the caller chose it among those that have.
    gates, is_store_away = None, False
    try:
        gates = receipt_read(key.lookup_digest)
    except redis.RedisError as error:
        logger.warning("receipt_not_read", extra={"error": str(error)})
        is_store_away = True
    return KeyReceipt(key, ended_at, gates, is_store_away, last_accepted(key), now)


def last_accepted(key: ApiKey) -> LastAccepted | None:
    """The newest allowed request of `key`: one not yet in the sums, or else in the newest hour that they know of."""
    new = newest_in_no_sum(key)
    if new is not None:
        return LastAccepted(new, is_exact=True)
    hour_at = (
        HourlyUsage.objects.filter(account=key.account_id, key=key, outcome=_ALLOWED)
        .order_by("-hour_at")
        .values_list("hour_at", flat=True)
        .first()
    )
    if hour_at is None:
        return None
    # Within the bounds of one partition, by the index of the account's records.
    records = UsageRecord.objects.filter(
        account=key.account_id, at__gte=hour_at, at__lt=hour_at + _HOUR, key=key, outcome=_ALLOWED
    )
    at = records.order_by("-at").values_list("at", flat=True).first()
    return LastAccepted(hour_at, is_exact=False) if at is None else LastAccepted(at, is_exact=True)


def newest_in_no_sum(key: ApiKey) -> datetime | None:
    """Among the records beyond the watermark, by the index of their ids: those of a second, mostly."""
    shard = shard_of(key.account_id)
    n_rolled_up = ShardCursor.objects.filter(shard=shard).values_list("n_rolled_up", flat=True).first()
    if n_rolled_up is None:
        return None
    base = shard << SHARD_BITS
    records = UsageRecord.objects.filter(id__gt=base + n_rolled_up, id__lt=base + (1 << SHARD_BITS))
    newest: datetime | None = records.filter(account=key.account_id, key=key, outcome=_ALLOWED).aggregate(
        newest=Max("at")
    )["newest"]
    return newest
