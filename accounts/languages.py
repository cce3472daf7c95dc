"""Which language somebody reads: the one they chose, else the one their browser asked for when they last signed in.

A page knows its reader's language from the request; a mail, which may be written long after any, asks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language, override

from accounts.audit import audit_person
from accounts.audit_actions import AuditAction
from accounts.models import User


def language_of(user: User) -> str:
    """The code of one of `settings.LANGUAGES`."""
    known = dict(settings.LANGUAGES)
    return next((code for code in (user.language, user.browser_language) if code in known), settings.LANGUAGE_CODE)


@contextmanager
def in_language_of(user: User) -> Iterator[None]:
    """What is written inside is in the language that `user` reads, whoever has caused it."""
    with override(language_of(user)):
        yield


@transaction.atomic
def language_choose(*, user: User, language: str) -> None:
    """From now on `user` reads `language`; what their browser asks for, where it is empty."""
    if language == user.language:
        return
    audit_person(AuditAction.LANGUAGE_CHANGED, user, changes={"language": (user.language or None, language or None)})
    user.language = language
    user.save(update_fields=["language"])


def language_note(*, user: User) -> None:
    """Remembers the language of the request in which `user` signs in or up."""
    language = get_language() or ""
    if language != user.browser_language:
        user.browser_language = language
        user.save(update_fields=["browser_language"])
