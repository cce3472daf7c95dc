"""Switches keys off and on again, and says so to the gates."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actors import current_actor
from accounts.audit import audit
from accounts.audit_actions import OPERATORS, AuditAction
from accounts.changes import announce_key_change, announce_key_end
from goongdash.lib.clock import utc_now
from keys.errors import KeyHeld
from keys.models import ApiKey


@transaction.atomic
def key_disable(*, key: ApiKey) -> bool:
    """Refuses the key from now on, everywhere, until it is enabled; False if it was off already.

    Who switches it off is kept: what an operator did, a member does not undo. Raises KeyHeld for a deleted key.
    """
    stored = _locked(key)
    by = current_actor().kind
    # One that is off already is held by the operator, too: its owner does not switch it on again.
    if stored.disabled_at is not None and (by not in OPERATORS or stored.disabled_by in OPERATORS):
        return False
    stored.disabled_at, stored.disabled_by = utc_now(), by
    stored.save(update_fields=["disabled_at", "disabled_by"])
    audit(AuditAction.KEY_DISABLED, account=stored.account, on=stored, name=stored.name)
    announce_key_end(stored.lookup_digest)
    return True


@transaction.atomic
def key_enable(*, key: ApiKey) -> bool:
    """Takes the key up again; False if it was on already. Raises KeyHeld for a key that may not be."""
    stored = _locked(key)
    if stored.disabled_at is None:
        return False
    if not stored.may_be_enabled:
        raise KeyHeld(_("We switched this key off. Write to us, and we look at it together."))
    changes = {"disabled": (stored.disabled_at, None)}
    if stored.is_disabled_by_spike:
        stored.spiked_at = None
    stored.disabled_at, stored.disabled_by = None, ""
    stored.save(update_fields=["disabled_at", "disabled_by", "spiked_at"])
    audit(AuditAction.KEY_ENABLED, account=stored.account, on=stored, name=stored.name, changes=changes)
    announce_key_change(stored.lookup_digest)
    return True


def _locked(key: ApiKey) -> ApiKey:
    stored = ApiKey.objects.select_for_update(of=("self",)).select_related("account").get(pk=key.pk)
    if stored.revoked_at is not None:
        raise KeyHeld(_("This key is deleted."))
    return stored
