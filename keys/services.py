"""Creates, changes and revokes keys. Every change is announced to the gates after its commit."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.actors import current_actor
from accounts.audit import audit
from accounts.audit_actions import OPERATORS, AuditAction
from accounts.changes import announce_key_change, announce_key_end
from accounts.figures import number
from accounts.models import Account, User
from goongdash.lib.clock import utc_now
from keys.errors import KeyChanged, KeyInvalid
from keys.key_text import KeyTypeName, is_importable, make_key_text, mask
from keys.limits import NO_LIMITS, KeyLimits
from keys.models import ApiKey, KeyType, OnSpike, Restriction, RestrictionKind, RestrictionsMode, Rotation
from keys.names import name_fault
from keys.patterns import UrlPattern
from keys.restrictions import RestrictionEntry, entry_text, parse_entry
from keys.selectors import services_to_choose
from keys.vault import encrypt, lookup_digest

MAX_RESTRICTIONS = 200
# From and to, by the name of what changed.
Changes = dict[str, tuple[object, object]]


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key just made, and its text, which is nowhere else in the clear."""

    key: ApiKey
    text: str


@transaction.atomic
def key_create(
    *,
    account: Account,
    key_type: str,
    name: str,
    description: str = "",
    restrictions: Iterable[str] = (),
    restrictions_mode: str = RestrictionsMode.ENFORCED,
    allows_no_origin: bool = False,
    services: Collection[int] = (),
    limits: KeyLimits = NO_LIMITS,
    expires_at: datetime | None = None,
    on_spike: str = OnSpike.REPORT,
    created_at: datetime | None = None,
    created_by: User | None = None,
    text: str | None = None,
) -> CreatedKey:
    """A new key, restricted to `restrictions` (URL patterns and IP ranges; none: works from anywhere).

    With the mode "report_only" they refuse nothing: what they would refuse is recorded as such.
    `services` are ids (none: all of its type). `text` takes over a key of another provider, made at `created_at`.
    Raises KeyInvalid for a bad type, mode, name, text or service and RestrictionError for the first bad entry; then
    nothing is stored.
    """
    if key_type not in KeyType.values:
        raise KeyInvalid(_("“%(type)s” is no key type; choose rest or tiles.") % {"type": key_type})
    _check_words(name, description)
    _check_mode(restrictions_mode)
    if text is not None and not is_importable(text):
        raise KeyInvalid(_("A key text is 16 to 200 letters, digits and . _ ~ - characters."))
    text = text or make_key_text(cast("KeyTypeName", key_type), secrets.choice)
    if ApiKey.objects.filter(lookup_digest=lookup_digest(text)).exists():
        raise KeyInvalid(_("This key text is in use already."))
    key = ApiKey.objects.create(
        account=account,
        type=key_type,
        name=name.strip(),
        description=description.strip(),
        lookup_digest=lookup_digest(text),
        ciphertext=encrypt(text),
        masked_text=mask(text),
        restrictions_mode=restrictions_mode,
        allows_no_origin=allows_no_origin,
        created_at=created_at or utc_now(),
        created_by=created_by,
        expires_at=expires_at,
        on_spike=on_spike,
        **asdict(limits),
    )
    if chosen := _services(key_type, services):
        key.services.set(chosen)
    _write_restrictions(key, _parsed(restrictions))
    audit(
        AuditAction.KEY_CREATED,
        account=account,
        on=key,
        name=key.name,
        changes={
            "type": (None, key_type),
            "restrictions": (None, _texts(key)),
            "restrictions_mode": (None, restrictions_mode if key.is_report_only else None),
            "services": (None, list(chosen.values()) or None),
            "expires": (None, expires_at),
            **{name: (None, limit) for name, limit in asdict(limits).items()},
        },
    )
    # A gate may remember this text as unknown, from a request that came too early.
    announce_key_change(key.lookup_digest)
    return CreatedKey(key, text)


@transaction.atomic
def key_update(
    *,
    key: ApiKey,
    version: int,
    name: str,
    description: str,
    restrictions: Iterable[str],
    restrictions_mode: str,
    allows_no_origin: bool,
    services: Collection[int],
    limits: KeyLimits,
    expires_at: datetime | None,
    on_spike: str = OnSpike.REPORT,
) -> set[str]:
    """Makes a key what it is to be from now on; returns the names of what that changed.

    Raises KeyChanged where the key has been changed since it was at `version`, KeyInvalid and RestrictionError
    as `key_create` does; then nothing is stored.
    """
    _check_words(name, description)
    _check_mode(restrictions_mode)
    stored = ApiKey.objects.select_for_update().get(pk=key.pk)
    if stored.version != version or stored.revoked_at is not None:
        raise KeyChanged(_("This key was changed in another window meanwhile."))
    is_replaced = Rotation.objects.filter(old=stored).exists()
    if is_replaced and expires_at != stored.expires_at:
        raise KeyInvalid(_("This key is being replaced, and expires when the overlap ends. Cancel the rotation first."))
    wanted = {
        "name": name.strip(),
        "description": description.strip(),
        "restrictions_mode": restrictions_mode,
        "allows_no_origin": allows_no_origin,
        "expires_at": expires_at,
        "on_spike": on_spike,
        **asdict(limits),
    }
    changes: Changes = {field: (getattr(stored, field), value) for field, value in wanted.items()}
    changes = {field: (old, new) for field, (old, new) in changes.items() if old != new}
    changes |= _replace_lists(stored, _parsed(restrictions), _services(stored.type, services))
    if changes:
        ApiKey.objects.filter(pk=key.pk).update(**wanted, version=version + 1)
        audit(AuditAction.KEY_EDITED, account=stored.account, on=stored, name=name.strip(), changes=changes)
        announce_key_change(stored.lookup_digest)
    return set(changes)


@transaction.atomic
def key_set_restrictions(*, key: ApiKey, restrictions: Iterable[str]) -> None:
    """Replaces the whole list. Raises RestrictionError for the first bad entry; then the old list stays."""
    before = _texts(key)
    key.restrictions.all().delete()
    _write_restrictions(key, _parsed(restrictions))
    ApiKey.objects.filter(pk=key.pk).update(version=F("version") + 1)
    changes = {"restrictions": (before, _texts(key))}
    audit(AuditAction.KEY_RESTRICTED, account=key.account, on=key, name=key.name, changes=changes)
    announce_key_change(key.lookup_digest)


@transaction.atomic
def key_revoke(*, key: ApiKey) -> bool:
    """Refuses the key from now on, everywhere; its history stays. False if it was revoked already.

    A key that still shares its work with the one it replaces leaves it to that one: the rotation is cancelled.
    Who revokes it is kept: what an operator did, a member does not undo.
    """
    predecessor, by = _locked_predecessor(key), current_actor().kind
    changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=utc_now(), revoked_by=by)
    if changed:
        audit(AuditAction.KEY_DELETED, account=key.account, on=key, name=key.name)
        # What we end ourselves gives nothing back.
        if predecessor is not None and by not in OPERATORS:
            _give_back(predecessor, key)
    # Once more where it was revoked already: the first announcement may have been lost. Its receipt stays.
    announce = announce_key_end if changed else announce_key_change
    announce(key.lookup_digest)
    return changed == 1


def _locked_predecessor(new: ApiKey) -> ApiKey | None:
    """The key that `new` replaces. Its row is locked before that of the new one, by all who lock both."""
    keys = ApiKey.objects.select_for_update(of=("self",)).select_related("account")
    return keys.filter(rotation__new=new).first()


def _give_back(old: ApiKey, new: ApiKey) -> None:
    """Leaves the old key of a rotation under way to its own expiry, now that the new one is gone."""
    rotation = Rotation.objects.filter(old=old, new=new, ends_at__gt=utc_now()).first()
    if rotation is None or old.revoked_at is not None or Rotation.objects.filter(old=new).exists():
        return
    expires_at = rotation.old_expires_at
    ApiKey.objects.filter(pk=old.pk).update(expires_at=expires_at, version=F("version") + 1)
    rotation.delete()
    changes = {"expires_at": (old.expires_at, expires_at)}
    audit(AuditAction.KEY_ROTATION_CANCELLED, account=old.account, on=old, name=old.name, changes=changes)
    announce_key_change(old.lookup_digest)


def _texts(key: ApiKey) -> list[str]:
    return list(key.restrictions.order_by("position").values_list("text", flat=True))


def _check_words(name: str, description: str) -> None:
    if fault := name_fault(name):
        raise KeyInvalid(fault)
    if len(description.strip()) > 1_000:
        raise KeyInvalid(_("The description is longer than %(max)s characters.") % {"max": number(1_000)})


def _check_mode(mode: str) -> None:
    if mode not in RestrictionsMode.values:
        raise KeyInvalid(_("“%(mode)s” is no mode of a list; choose enforced or report_only.") % {"mode": mode})


def _services(key_type: str, ids: Collection[int]) -> dict[int, str]:
    """The services' names by id, all of them services that such a key can be held to."""
    if not ids:
        return {}
    known = {service.pk: str(service) for service in services_to_choose().filter(key_type=key_type, pk__in=ids)}
    if len(known) != len(set(ids)):
        raise KeyInvalid(_("One of the services is not there, or not for this type of key."))
    return known


def _parsed(texts: Iterable[str]) -> dict[str, RestrictionEntry]:
    """The entries by their normalised texts, in order and each once."""
    entries = {entry_text(entry): entry for entry in map(parse_entry, texts)}
    if len(entries) > MAX_RESTRICTIONS:
        raise KeyInvalid(_("A key takes at most %(max)s restrictions.") % {"max": MAX_RESTRICTIONS})
    return entries


def _replace_lists(key: ApiKey, entries: dict[str, RestrictionEntry], services: dict[int, str]) -> Changes:
    """Restrictions and services as they are to be; a list that is so already is not written. Returns which were."""
    changes: Changes = {}
    texts, before = _texts(key), {service.pk: str(service) for service in key.services.all()}
    if texts != list(entries):
        key.restrictions.all().delete()
        _write_restrictions(key, entries)
        changes["restrictions"] = (texts, list(entries))
    if before.keys() != services.keys():
        key.services.set(services)
        changes["services"] = (list(before.values()), list(services.values()))
    return changes


def _write_restrictions(key: ApiKey, entries: dict[str, RestrictionEntry]) -> None:
    Restriction.objects.bulk_create(
        Restriction(
            key=key,
            kind=RestrictionKind.URL if isinstance(entry, UrlPattern) else RestrictionKind.IP,
            text=text,
            position=position,
        )
        for position, (text, entry) in enumerate(entries.items())
    )
