"""What the site itself notes beside a ledger entry: stored in English, said in the language of whoever reads. Pure."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

SIGNED_UP = gettext_noop("Credit for signing up")
PAID_ONLINE = gettext_noop("Paid online")
REFUNDED_ONLINE = gettext_noop("Refunded online")

_OURS = {SIGNED_UP, PAID_ONLINE, REFUNDED_ONLINE}


def note_said(note: str) -> str:
    """What an operator wrote stays as it is."""
    return gettext(note) if note in _OURS else note
