"""What every template may name besides its own context."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership
from accounts.notice_list import n_unread
from accounts.permissions import Permission, may


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "account": getattr(request, "account", None),
        "membership": getattr(request, "membership", None),
        "memberships": getattr(request, "memberships", ()),
        "may": SimpleLazyObject(lambda: _may(getattr(request, "membership", None))),
        # Asked for by the header alone, so that fragments cost no query for it.
        "n_unread": SimpleLazyObject(lambda: _n_unread(getattr(request, "membership", None))),
        "BILLING_TIME_ZONE": settings.BILLING_TIME_ZONE,
        "DOCS_URL": settings.DOCS_URL,
        "GATE_PUBLIC_URL": settings.GATE_PUBLIC_URL,
    }


def _may(membership: Membership | None) -> dict[str, bool]:
    """What the user's role allows, for templates that hide a button: `may.change_keys`."""
    return {each.name.lower(): bool(membership) and may(membership.role, each) for each in Permission}  # type: ignore[union-attr]


def _n_unread(membership: Membership | None) -> int:
    return n_unread(membership) if membership else 0
