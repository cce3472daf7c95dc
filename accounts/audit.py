"""Records who changed what, in the transaction of the change; forgets what is a year old.

Called by the services that change something. Entries hold no secret: callers name fields, not key texts or
tokens, and what looks like one in a text that a customer typed is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from accounts.actors import Actor, current_actor
from accounts.audit_actions import AuditAction
from accounts.models import Account, AuditEntry, User
from goongdash.lib.clock import utc_now

HIDDEN = "•••"
MAX_ITEMS = 20
MAX_LENGTH = 500
FORGET_ROWS = 5_000
# The text of a key, ours or Goong's own, or of a personal token, as somebody may have put it into a key's name.
_SECRET = re.compile(r"\b(?:(?:g[rm]_[A-Za-z0-9]{36}|[A-Za-z0-9]{40})\b|gt_[A-Za-z0-9_-]{43})")


def audit(
    action: AuditAction,
    *,
    account: Account | None,
    on: Model,
    name: str = "",
    changes: Mapping[str, tuple[object, object]] | None = None,
    actor: Actor | None = None,
) -> None:
    """Records that the acting person (or `actor`) did `action` to `on`, shown as `name`.

    `changes` are from and to by the name of what changed; what stayed the same is left out.
    """
    actor = actor or current_actor()
    AuditEntry.objects.create(
        account=account,
        at=utc_now(),
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        actor_name=actor.name,
        action=action,
        object_kind=action.partition(".")[0],
        object_id=on.pk,
        object_name=shown_text(name or str(on))[:254],
        changes={field: [old, new] for field, old, new in _plain_changes(changes or {}) if old != new},
    )


def audit_person(
    action: AuditAction, user: User, *, changes: Mapping[str, tuple[object, object]] | None = None
) -> None:
    """Records a change of somebody's sign-in in every account that they are a member of."""
    for account in Account.objects.filter(memberships__user=user):
        audit(action, account=account, on=user, name=user.email, changes=changes)


def audit_forget(*, before: datetime) -> int:
    """Deletes the entries from before `before` and returns how many; some thousand at a time."""
    n_forgotten = 0
    while True:
        oldest = AuditEntry.objects.filter(at__lt=before).order_by("at").values("pk")[:FORGET_ROWS]
        n, _ = AuditEntry.objects.filter(pk__in=list(oldest.values_list("pk", flat=True))).delete()
        n_forgotten += n
        if n < FORGET_ROWS:
            return n_forgotten


def _plain_changes(changes: Mapping[str, tuple[object, object]]) -> Iterator[tuple[str, Any, Any]]:
    for field, (old, new) in changes.items():
        yield field, _plain(old), _plain(new)


def _plain(value: object) -> Any:
    """As JSON can hold it and a person can read it."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return shown_text(value)
        case Iterable():
            items = [_plain(item) for item in value]
            more = len(items) - MAX_ITEMS
            return items if more <= 0 else [*items[:MAX_ITEMS], f"… {more} more"]
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return shown_text(str(value))


def shown_text(text: str) -> str:
    """A text that a customer typed, as it is kept and shown: what looks like a key left out, and not too long."""
    text = _SECRET.sub(HIDDEN, text)
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"
