"""Replaces a key by a new one that inherits everything, with a time in which both work.

Limits follow the lineage: both keys count in the same counters, so that a rotation never doubles a limit.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.changes import announce_key_change, announce_key_end
from accounts.models import User
from goongdash.lib.clock import utc_now
from keys.errors import KeyHeld
from keys.key_text import KeyTypeName, make_key_text, mask
from keys.models import ApiKey, BlockedOrigin, KeyState, Restriction, Rotation
from keys.overlap import Overlap, Quiet, overlap_ends_at, successor_expires_at
from keys.services import key_revoke
from keys.vault import encrypt, lookup_digest

# What a key has of its own. All else a successor inherits, so that a new setting is inherited without a word here.
OWN_FIELDS = frozenset(
    {
        *("id", "lookup_digest", "ciphertext", "masked_text", "version", "created_at", "created_by"),
        *("expires_at", "disabled_at", "disabled_by", "revoked_at", "revoked_by", "lineage"),
        # A key that was cut for its use is cut alone: to rotate it is the repair.
        *("spiked_at", "spike_quota"),
    }
)


@dataclass(frozen=True, slots=True)
class Rotated:
    """A rotation that is under way; `text` is that of the new key, None where it was begun before."""

    rotation: Rotation
    text: str | None


@transaction.atomic
def key_rotate(*, key: ApiKey, overlap: Overlap, quiet: Quiet = Quiet.NEVER, rotated_by: User | None = None) -> Rotated:
    """A new key in the place of `key`, which works on for the overlap, but not beyond its own expiry.

    Where that was begun already, all stays as it is. Raises KeyHeld where the key cannot be rotated.
    """
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("account").get(pk=key.pk)
    under_way = Rotation.objects.filter(old=old, old__revoked_at=None).select_related("old", "new").first()
    if under_way is not None:
        return Rotated(under_way, None)
    now = utc_now()
    if fault := rotation_fault(old, now=now):
        raise KeyHeld(fault)
    new, text = _successor(old, now, rotated_by)
    ends_at, before = overlap_ends_at(now, overlap, old.expires_at), old.expires_at
    rotation = Rotation.objects.create(
        old=old, new=new, started_at=now, ends_at=ends_at, quiet_for=quiet.length, old_expires_at=before
    )
    _end(old, rotation)
    changes = {
        "replaced by": (None, new.masked_text),
        "expires_at": (before, ends_at),
        "retired when unused for": (None, None if quiet is Quiet.NEVER else quiet.value),
    }
    audit(AuditAction.KEY_ROTATED, account=old.account, on=old, name=old.name, changes=changes)
    replaces = {"replaces": (None, old.masked_text), "expires": (None, new.expires_at)}
    audit(AuditAction.KEY_CREATED, account=old.account, on=new, name=new.name, changes=replaces)
    announce_key_change(new.lookup_digest)
    return Rotated(rotation, text)


def rotation_fault(key: ApiKey, *, now: datetime) -> str | None:
    """Why `key` cannot be rotated, as a sentence for the customer; None where it can."""
    match key.state_at(now):
        case KeyState.REVOKED:
            return _("This key is deleted. Undo that, or create a new key.")
        case KeyState.DISABLED:
            return _("This key is disabled. Enable it before you rotate it.")
        case KeyState.EXPIRED:
            return _("This key has expired, so that nothing is left to overlap. Edit its expiry, or create a new key.")
        case _:
            return None


@transaction.atomic
def key_retire(*, key: ApiKey, because: str) -> bool:
    """Ends the overlap of a key that is being replaced: it is refused from now on, everywhere.

    False if it was refused for good already. Raises KeyHeld for a key that nothing replaces. `because` is for the
    history.
    """
    rotation = _locked_rotation(key)
    old = rotation.old
    if not ApiKey.objects.filter(pk=old.pk, revoked_at=None).update(revoked_at=utc_now()):
        return False
    changes = {"replaced by": (None, rotation.new.masked_text), "because": (None, because)}
    audit(AuditAction.KEY_RETIRED, account=old.account, on=old, name=old.name, changes=changes)
    announce_key_end(old.lookup_digest)
    return True


@transaction.atomic
def key_rotation_cancel(*, key: ApiKey) -> None:
    """Takes a rotation back: the new key is deleted, the old one goes on until its own expiry.

    Raises KeyHeld where it is too late: the old key is retired, or the new one is being replaced itself.
    """
    rotation = _locked_rotation(key)
    old, new = rotation.old, rotation.new
    if old.state_at(utc_now()) in {KeyState.REVOKED, KeyState.EXPIRED} or new.revoked_at is not None:
        raise KeyHeld(_("The rotation is over. The old key can be brought back under the recently deleted keys."))
    if Rotation.objects.filter(old=new).exists():
        raise KeyHeld(_("The new key is being replaced itself. Cancel that rotation first."))
    key_revoke(key=new)


def _locked_rotation(key: ApiKey) -> Rotation:
    """Whoever begins, ends or cancels a rotation holds the row of the old key, and reads the rest after that."""
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("account").get(pk=key.pk)
    rotation = Rotation.objects.filter(old=old).select_related("new").first()
    if rotation is None:
        raise KeyHeld(_("No rotation of this key is under way."))
    rotation.old = old
    return rotation


def _successor(old: ApiKey, now: datetime, created_by: User | None) -> tuple[ApiKey, str]:
    """A new key like `old`, and its text."""
    text = make_key_text(cast("KeyTypeName", old.type), secrets.choice)
    new = ApiKey.objects.create(
        **_inherited(old),
        lookup_digest=lookup_digest(text),
        ciphertext=encrypt(text),
        masked_text=mask(text),
        created_at=now,
        created_by=created_by,
        expires_at=successor_expires_at(now, old.created_at, old.expires_at),
        lineage_id=old.counted_id,
    )
    new.services.set(old.services.all())
    Restriction.objects.bulk_create(
        Restriction(key=new, kind=entry.kind, text=entry.text, position=entry.position)
        for entry in old.restrictions.all()
    )
    BlockedOrigin.objects.bulk_create(
        BlockedOrigin(key=new, host=blocked.host, created_at=blocked.created_at)
        for blocked in old.blocked_origins.all()
    )
    return new, text


def _inherited(old: ApiKey) -> dict[str, Any]:
    fields = [field for field in ApiKey._meta.concrete_fields if field.name not in OWN_FIELDS]
    return {field.attname: getattr(old, field.attname) for field in fields}


def _end(old: ApiKey, rotation: Rotation) -> None:
    """The old key expires with the overlap; without one it is refused at once."""
    fields: dict[str, Any] = {"lineage_id": old.counted_id, "version": F("version") + 1}
    if rotation.ends_at > rotation.started_at:
        ApiKey.objects.filter(pk=old.pk).update(**fields, expires_at=rotation.ends_at)
        announce_key_change(old.lookup_digest)
    else:
        ApiKey.objects.filter(pk=old.pk).update(**fields, revoked_at=rotation.started_at)
        announce_key_end(old.lookup_digest)
    old.refresh_from_db()
