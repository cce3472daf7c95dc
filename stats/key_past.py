"""What a key and its plan were when a request came, as far as the history of changes tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.audit import HIDDEN
from accounts.audit_actions import AuditAction
from accounts.audit_log import audit_of
from accounts.models import Account
from keys.errors import RestrictionError
from keys.restrictions import RestrictionEntry, parse_entry

# More changes of one key since one request are read as no history at all.
_MAX_CHANGES = 500


@dataclass(frozen=True, slots=True)
class Since:
    """One thing that was changed since: when last, and what it was before the first of these changes."""

    changed_at: datetime
    before: Any


def changes_since(account: Account, key_id: int, at: datetime) -> Mapping[str, Since]:
    """What was changed of a key after `at`, by its name in the history, such as ``restrictions``; `blocked_name`."""
    entries = audit_of(account, "key", key_id).filter(at__gt=at).exclude(action=AuditAction.KEY_CREATED)
    found: dict[str, Since] = {}
    for entry in entries[:_MAX_CHANGES]:  # The newest first, so that the last word is the oldest change's.
        for name, (before, after) in entry.changes.items():
            if name == "origin":  # Blocked or unblocked: each host by itself.
                name, before = blocked_name(before or after), before is not None
            changed_at = found[name].changed_at if name in found else entry.at
            found[name] = Since(changed_at, before)
    return found


def blocked_name(host: str) -> str:
    """Under which name the changes say whether a host was blocked before."""
    return f"blocked {host}"


def plan_changed_since(account: Account, at: datetime) -> datetime | None:
    """When the account last came to another plan after `at`; None if it did not."""
    entries = audit_of(account, "account", account.pk).filter(at__gt=at, action=AuditAction.ACCOUNT_PLAN_CHANGED)
    return entries.values_list("at", flat=True).first()


def entries_before(since: Since) -> list[RestrictionEntry] | None:
    """The restriction list as it was; None where the history, which cuts what is long, has not all of it."""
    texts = since.before or []
    if any(text.startswith("… ") or text.endswith("…") or HIDDEN in text for text in texts):
        return None
    try:
        return [parse_entry(text) for text in texts]
    except RestrictionError:
        return None
