"""Brings deleted keys back within 30 days, and forgets their texts when that time is over."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import redis
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.actors import current_actor
from accounts.audit import audit
from accounts.audit_actions import OPERATORS, AuditAction
from accounts.changes import announce_key_change
from accounts.models import Account
from accounts.receipts import receipt_read
from goongdash.lib.clock import utc_now
from keys.errors import KeyHeld
from keys.models import ApiKey, Rotation

logger = logging.getLogger(__name__)

UNDO_FOR = timedelta(days=30)
FORGOTTEN = b""


def deleted_keys_of(account: Account) -> QuerySet[ApiKey]:
    """The account's deleted keys, the last one first."""
    keys = ApiKey.objects.filter(account=account, revoked_at__isnull=False).select_related("rotation__new")
    return keys.order_by("-revoked_at", "-pk")


@dataclass(frozen=True, slots=True)
class DeletedKey:
    """A key of the list of deleted ones; `days_left` to undo it in, begun ones counting, None where it is too late."""

    key: ApiKey
    days_left: int | None
    fault: str | None


def deleted_rows(keys: Iterable[ApiKey], *, now: datetime) -> list[DeletedKey]:
    return [_row(key, restore_fault(key, now=now), now) for key in keys]


def _row(key: ApiKey, fault: str | None, now: datetime) -> DeletedKey:
    if fault or key.revoked_at is None:
        return DeletedKey(key, None, fault)
    return DeletedKey(key, -((now - key.revoked_at - UNDO_FOR) // timedelta(days=1)), None)


def restore_fault(key: ApiKey, *, now: datetime) -> str | None:
    """Why a deleted key cannot be brought back, as a sentence for the customer; None where it can.

    One that was replaced comes back with its own expiry.
    """
    if key.revoked_by in OPERATORS and current_actor().kind not in OPERATORS:
        return _("We deleted this key ourselves. Write to us, and we look at it together.")
    rotation = _rotation(key)
    expires_at = key.expires_at if rotation is None else rotation.old_expires_at
    if key.revoked_at is None or key.revoked_at + UNDO_FOR <= now or bytes(key.ciphertext) == FORGOTTEN:
        return _("It was deleted more than 30 days ago, and for good.")
    if expires_at is not None and expires_at <= now:
        return _("It has expired meanwhile, so that it would be refused all the same. Create a new key.")
    return None


@transaction.atomic
def key_restore(*, key: ApiKey) -> bool:
    """Takes back the deletion: the same text works again, with all that it had. False if it was not deleted.

    Raises KeyHeld where it is too late.
    """
    keys = ApiKey.objects.select_for_update(of=("self",)).select_related("account", "rotation")
    stored = keys.get(pk=key.pk)
    if stored.revoked_at is None:
        return False
    if fault := restore_fault(stored, now=utc_now()):
        raise KeyHeld(fault)
    changes = {"deleted": (stored.revoked_at, None), "refused by": (_receipt(stored.lookup_digest), None)}
    stored.revoked_at, stored.revoked_by = None, ""
    if rotation := _rotation(stored):
        stored.expires_at = rotation.old_expires_at
        rotation.delete()
    stored.save(update_fields=["revoked_at", "revoked_by", "expires_at"])
    audit(AuditAction.KEY_RESTORED, account=stored.account, on=stored, name=stored.name, changes=changes)
    announce_key_change(stored.lookup_digest)
    return True


def keys_forget(*, now: datetime) -> int:
    """Makes deletions final that can no longer be undone; returns how many.

    The text is forgotten, and what is left is its keyed digest: so that the gate still knows a caller with the
    old key from one with none, and no import takes the text up again.
    """
    over = ApiKey.objects.filter(revoked_at__lte=now - UNDO_FOR).exclude(ciphertext=FORGOTTEN)
    return sum(_forget(key) for key in over.select_related("account"))


@transaction.atomic
def _forget(key: ApiKey) -> bool:
    # Once more under the lock of the row: it may have been brought back, or forgotten by another worker.
    is_over = ApiKey.objects.filter(pk=key.pk, revoked_at=key.revoked_at).exclude(ciphertext=FORGOTTEN)
    if not is_over.update(ciphertext=FORGOTTEN):
        return False
    audit(AuditAction.KEY_FORGOTTEN, account=key.account, on=key, name=key.name)
    return True


def _rotation(key: ApiKey) -> Rotation | None:
    """By which it was replaced before it was deleted."""
    return cast("Rotation | None", getattr(key, "rotation", None))


def _receipt(digest: str) -> str | None:
    """What the gates had confirmed of the deletion, for the history: the receipt itself is kept for days only."""
    try:
        receipt = receipt_read(digest)
    except redis.RedisError as error:
        logger.warning("receipt_not_read", extra={"error": str(error)})
        return None
    if receipt is None or not receipt.n_counted:
        return None
    text = f"{len(receipt.confirmed)} of {receipt.n_counted} gates"
    at = receipt.confirmed_at
    return text if at is None else f"{text}, {at.isoformat(timespec='seconds')}"
