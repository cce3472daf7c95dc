"""Reads what was recorded of changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.audit_words import field_words, value_words
from accounts.models import Account, AuditEntry


def audit_of(account: Account, kind: str, object_id: int) -> QuerySet[AuditEntry]:
    """What happened to one object, such as ("key", 7), newest first. Answered by an index."""
    return AuditEntry.objects.filter(account=account, object_kind=kind, object_id=object_id)


def audit_actors(account: Account) -> list[str]:
    """The names of all who are in the account's history."""
    names = AuditEntry.objects.filter(account=account).order_by("actor_name")
    return list(names.values_list("actor_name", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an entry, in plain words or in the reader's. Nothing at all is an empty text."""

    field: str
    old: str
    new: str


def changes_of(entry: AuditEntry) -> list[Change]:
    """As they were recorded: the same for every reader, as exports want it."""
    return [Change(field, _words(old), _words(new)) for field, (old, new) in entry.changes.items()]


def changes_in_words(entry: AuditEntry) -> list[Change]:
    """In the reader's language, as far as the words are ours."""
    return [
        Change(field_words(change.field), value_words(change.field, change.old), value_words(change.field, change.new))
        for change in changes_of(entry)
    ]


def _words(value: Any) -> str:
    match value:
        case None:
            return ""
        case True:
            return "yes"
        case False:
            return "no"
        case str():
            return value
        case Iterable():
            return ", ".join(map(str, value))
        case _:
            return str(value)
