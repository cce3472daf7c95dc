"""Personal tokens: what a program shows instead of a member's password, for one account and for reading only.

A token's text is shown once. What is stored is its digest (SHA-256 is enough for 256 random bits), so that whoever
reads the database can ask for nothing. It opens no more than its owner's role does, and nothing when they have left.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.errors import TooManyTokens
from accounts.models import Account, Membership, PersonalToken, TokenScope
from accounts.permissions import Permission
from goongdash.lib.clock import utc_now

PREFIX = "gt_"
MAX_TOKENS = 20
# How exactly the last use is known; so that a busy token is written once in a while.
USE_NOTED_EVERY = timedelta(minutes=1)

# What a member must be allowed to see for a token of theirs to read it.
PERMISSIONS = {
    TokenScope.USAGE: Permission.SEE,
    TokenScope.REQUESTS: Permission.SEE_REQUESTS,
    TokenScope.BILLS: Permission.SEE_BILLS,
}


class MadeToken(NamedTuple):
    """A token and its text, which is known this once."""

    token: PersonalToken
    text: str


@transaction.atomic
def token_create(
    *, member: Membership, name: str, scopes: Collection[TokenScope], expires_at: datetime | None
) -> MadeToken:
    """A new token of `member` for their account. Raises TooManyTokens."""
    Membership.objects.select_for_update().get(pk=member.pk)
    if len(tokens_of(member)) >= MAX_TOKENS:
        words = _("You have %(number)d tokens. Revoke one that is no longer used.")
        raise TooManyTokens(words % {"number": MAX_TOKENS})
    text = PREFIX + secrets.token_urlsafe(32)
    token = PersonalToken.objects.create(
        membership=member,
        name=name,
        digest=_digest(text),
        ending=text[-4:],
        scopes=sorted(scopes),
        created_at=utc_now(),
        expires_at=expires_at,
    )
    changes = {"scopes": (None, token.scopes), "expires": (None, expires_at)}
    audit(AuditAction.TOKEN_CREATED, account=member.account, on=token, name=name, changes=changes)
    return MadeToken(token, text)


@transaction.atomic
def token_revoke(*, token: PersonalToken) -> None:
    """Nothing is answered to it from now on."""
    audit(AuditAction.TOKEN_REVOKED, account=token.membership.account, on=token, name=token.name)
    token.delete()


def tokens_of(member: Membership) -> QuerySet[PersonalToken]:
    """The member's own, newest first; expired ones too, until they are revoked."""
    return PersonalToken.objects.filter(membership=member).select_related("membership__account").order_by("-id")


def tokens_of_account(account: Account) -> QuerySet[PersonalToken]:
    """Everybody's, for those who manage members."""
    tokens = PersonalToken.objects.filter(membership__account=account)
    return tokens.select_related("membership__account", "membership__user").order_by("-id")


def token_find(text: str, now: datetime) -> PersonalToken | None:
    """The token with this text, where it may still be used; notes that it was."""
    if not text.startswith(PREFIX):
        return None
    found = (
        PersonalToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), digest=_digest(text))
        .filter(membership__user__is_active=True)
        .select_related("membership__account__plan", "membership__user")
        .first()
    )
    if found is not None and (found.used_at is None or found.used_at < now - USE_NOTED_EVERY):
        PersonalToken.objects.filter(pk=found.pk).update(used_at=now)
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
