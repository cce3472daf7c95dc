"""What the list, and the head of its own page, show of a key.

Asks the database nothing: the keys come with all that belongs to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.figures import number, usd
from goongdash.lib.money import MICRO_PER_USD
from goongdash.lib.periods import day_of
from keys.expiry import DAYS_AHEAD, days_until
from keys.models import ApiKey, KeyState, KeyUse, Restriction, Rotation

_N_SHOWN = 2


@dataclass(frozen=True, slots=True)
class KeyRow:
    """`first` restrictions are shown at a glance, `more` on demand; `is_new` for a key just made.

    `quota_today` is what the key is cut to for its use. `days_left` until it expires, where that is soon.
    `replaced_by` and `replaces` while a rotation is under way. `notes` are its other restrictions, a few words each.
    `use` is None for a key that never was let pass.
    """

    key: ApiKey
    state: KeyState
    first: list[Restriction]
    more: list[Restriction]
    notes: list[str]
    use: KeyUse | None
    is_new: bool
    quota_today: int | None
    days_left: int | None
    replaced_by: ApiKey | None
    replaces: ApiKey | None


def key_rows(keys: Iterable[ApiKey], *, now: datetime, new_id: int | None = None) -> list[KeyRow]:
    return [key_row(key, now=now, is_new=key.pk == new_id) for key in keys]


def key_row(key: ApiKey, *, now: datetime, is_new: bool = False) -> KeyRow:
    restrictions = list(key.restrictions.all())
    # A lone one left over takes no more room than the number of them.
    n_shown = _N_SHOWN if len(restrictions) > _N_SHOWN + 1 else len(restrictions)
    return KeyRow(
        key,
        key.state_at(now),
        restrictions[:n_shown],
        restrictions[n_shown:],
        _notes(key),
        cast("KeyUse | None", getattr(key, "use", None)),
        is_new,
        key.spike_quota_on(day_of(now, settings.BILLING_ZONE), settings.BILLING_ZONE),
        _days_left(key, now),
        *_rotations(key),
    )


def _days_left(key: ApiKey, now: datetime) -> int | None:
    is_soon = key.expires_at is not None and now < key.expires_at <= now + timedelta(days=max(DAYS_AHEAD))
    return days_until(now, key.expires_at) if is_soon and key.expires_at else None


def _rotations(key: ApiKey) -> tuple[ApiKey | None, ApiKey | None]:
    """The keys that replace it and that it replaces, where the older one still works."""
    by = cast("Rotation | None", getattr(key, "rotation", None))
    of = cast("Rotation | None", getattr(key, "rotated_from", None))
    return (
        by.new if by is not None and key.revoked_at is None else None,
        of.old if of is not None and of.old.revoked_at is None else None,
    )


def _notes(key: ApiKey) -> list[str]:
    notes = []
    services = [service.title for service in key.services.all()]
    if services:
        words = _("%(service)s only") if len(services) == 1 else _("%(n)s services")
        notes.append(words % {"service": services[0], "n": len(services)})
    if key.requests_per_month is not None:
        notes.append(_("%(limit)s a month") % {"limit": number(key.requests_per_month)})
    if key.spend_cap_micro_usd is not None:
        is_whole = not key.spend_cap_micro_usd % MICRO_PER_USD
        cap = usd(key.spend_cap_micro_usd, min_decimals=0 if is_whole else 2)
        notes.append(_("%(limit)s a month") % {"limit": cap})
    if key.rate_limit is not None:
        notes.append(_("rate %(limit)s") % {"limit": number(key.rate_limit)})
    return notes
