"""Tells those who may change keys of the keys that expire soon: 30, 7 and 1 days ahead, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from accounts.notice_kinds import NoticeKind
from accounts.notices import NewNotice, notices_raise
from accounts.permissions import Permission
from keys.expiry import DAYS_AHEAD, days_until, expiry_stage
from keys.models import ApiKey


def expiries_tell(*, now: datetime) -> int:
    """Raises the notices that are due; returns how many were new. Another expiry of the same key is told anew.

    A key that is switched off, or being replaced, has nobody to be told of its end.
    """
    soon = ApiKey.objects.filter(
        revoked_at=None,
        disabled_at=None,
        rotation=None,
        expires_at__gt=now,
        expires_at__lte=now + timedelta(days=max(DAYS_AHEAD)),
        account__is_active=True,
    )
    return len(notices_raise(_due(soon.only("account", "name", "created_at", "expires_at").iterator(), now)))


def _due(keys: Iterator[ApiKey], now: datetime) -> Iterator[NewNotice]:
    for key in keys:
        if key.expires_at is None:
            continue
        stage = expiry_stage(now=now, created_at=key.created_at, expires_at=key.expires_at)
        if stage is not None:
            yield NewNotice(
                key.account_id,
                NoticeKind.KEY_EXPIRES,
                f"key:{key.pk}:{key.expires_at.isoformat()}:{stage}",
                {
                    "key": key.name,
                    "key_id": key.pk,
                    "n_days": days_until(now, key.expires_at),
                    "expires_at": key.expires_at.isoformat(),
                },
                Permission.CHANGE_KEYS,
            )
