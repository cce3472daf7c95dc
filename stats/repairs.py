"""Where a repair leads: the dialog of the key with the entry filled in, a new key, the plans, the bills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.permissions import Permission, may
from keys.errors import RestrictionError
from keys.restrictions import entry_text, parse_entry
from stats.explanations import Repair


@dataclass(frozen=True, slots=True)
class RepairLink:
    """A button (`is_dialog`: it opens the dialog at `url`) or a link. `needs` is what a member must be allowed."""

    repair: Repair
    label: str
    url: str
    is_dialog: bool
    needs: Permission

    def is_for(self, role: str) -> bool:
        return may(role, self.needs)


def repair_link(  # noqa: C901 — a table, with a case for each repair.
    repair: Repair, *, key_id: int, origin: str = "", address: str = ""
) -> RepairLink:
    """The link of a repair for a request from `origin` and `address` with the key."""
    match repair:
        case Repair.ALLOW_ORIGIN:
            entry = entry_for_origin(origin)
            # An origin that no entry can be made of is dealt with by hand.
            if not entry:
                return repair_link(Repair.EDIT_RESTRICTIONS, key_id=key_id)
            return _edit(repair, _("Allow %(origin)s") % {"origin": origin}, key_id, allow=entry)
        case Repair.ALLOW_ADDRESS:
            return _edit(repair, _("Allow %(address)s") % {"address": address}, key_id, allow=address)
        case Repair.EDIT_RESTRICTIONS:
            return _edit(repair, _("Change the key’s list"), key_id, tab="restrictions")
        case Repair.UNBLOCK_ORIGIN:
            url = reverse("keys:key", args=[key_id])
            return RepairLink(repair, _("Unblock it on the key’s page"), url, False, Permission.CHANGE_KEYS)
        case Repair.LIFT_SPIKE:
            url = reverse("keys:lift", args=[key_id])
            return RepairLink(repair, _("Lift what was done to the key"), url, True, Permission.CHANGE_KEYS)
        case Repair.EDIT_SERVICES:
            return _edit(repair, _("Change the key’s services"), key_id, tab="restrictions")
        case Repair.EDIT_LIMITS:
            return _edit(repair, _("Change the key’s limits"), key_id, tab="restrictions")
        case Repair.EDIT_EXPIRY:
            return _edit(repair, _("Change the key’s expiry"), key_id, tab="restrictions")
        case Repair.CREATE_REST_KEY:
            return _create(repair, _("Create an API key"), "rest")
        case Repair.CREATE_TILES_KEY:
            return _create(repair, _("Create a map tiles key"), "tiles")
        case Repair.SEE_PLANS:
            return RepairLink(repair, _("Compare the plans"), reverse("accounts:account"), False, Permission.SEE)
        case Repair.SEE_BILLS:
            return RepairLink(repair, _("See the credit"), reverse("billing:overview"), False, Permission.SEE_BILLS)
        case Repair.READ_DOCUMENTATION:
            return RepairLink(repair, _("Read the documentation"), settings.DOCS_URL, False, Permission.SEE)
        case _:
            assert_never(repair)


def entry_for_origin(origin: str) -> str:
    """The narrowest entry that lets an origin pass whatever its path; empty where none can be made."""
    try:
        return entry_text(parse_entry(f"{origin}/*"))
    except RestrictionError:
        return ""


def _edit(repair: Repair, label: str, key_id: int, **query: str) -> RepairLink:
    url = f"{reverse('keys:edit', args=[key_id])}?{urlencode(query)}"
    return RepairLink(repair, label, url, True, Permission.CHANGE_KEYS)


def _create(repair: Repair, label: str, key_type: str) -> RepairLink:
    return RepairLink(repair, label, f"{reverse('keys:create')}?type={key_type}", True, Permission.CHANGE_KEYS)
