"""Invites people to an account by e-mail, and takes them in.

An invitation is for one address and is used once. Its link holds a token that is stored nowhere: what is stored
is its digest, so that whoever reads the database cannot join.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.errors import (
    AddressMismatch,
    AlreadyInvited,
    AlreadyMember,
    InvitationClosed,
    RoleTooLow,
    TooManyInvitations,
)
from accounts.models import Account, Invitation, InvitationState, Membership, Role, User
from accounts.permissions import roles_given_by
from goongdash.lib.clock import utc_now

VALID_FOR = timedelta(days=7)
# Sending again within this time is a double click.
AT_LEAST_BETWEEN = timedelta(seconds=60)
MAX_OPEN = 50


class Sent(NamedTuple):
    """An invitation and the token for its link: None where the mail has just been sent."""

    invitation: Invitation
    token: str | None


@transaction.atomic
def invitation_create(*, by: Membership, email: str, role: Role) -> Sent:
    """Invites `email` into the account of `by`. The same again within a minute is the same invitation.

    Raises RoleTooLow, AlreadyMember, AlreadyInvited and TooManyInvitations.
    """
    account = Account.objects.select_for_update().get(pk=by.account_id)
    email, now = email.strip().lower(), utc_now()
    if role not in roles_given_by(by.role) or role is Role.OWNER:
        raise RoleTooLow(_("Your role may not invite with that role."))
    if account.memberships.filter(user__in=_users_with(email)).exists():
        raise AlreadyMember(_("%(email)s is a member already.") % {"email": email})
    before = account.invitations.filter(email=email, accepted_at=None, withdrawn_at=None).first()
    if before is not None:
        if before.role == role and now - before.sent_at < AT_LEAST_BETWEEN:
            return Sent(before, None)
        if before.state_at(now) is InvitationState.OPEN:
            words = _("%(email)s is invited already. You can send the invitation again below.")
            raise AlreadyInvited(words % {"email": email})
        before.withdrawn_at = now
        before.save(update_fields=["withdrawn_at"])
    if len(invitations_open(account)) >= MAX_OPEN:
        words = _("%(number)d invitations are open. Withdraw some of them first.")
        raise TooManyInvitations(words % {"number": MAX_OPEN})
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        account=account,
        email=email,
        role=role,
        token_digest=_digest(token),
        invited_by=by.user,
        created_at=now,
        sent_at=now,
        expires_at=now + VALID_FOR,
    )
    _record(AuditAction.INVITATION_SENT, invitation, role=(None, role))
    return Sent(invitation, token)


@transaction.atomic
def invitation_renew(*, invitation: Invitation) -> Sent:
    """A new link and a new week; the old link is dead. Raises InvitationClosed."""
    invitation, now = _locked(invitation), utc_now()
    if invitation.state_at(now) in {InvitationState.ACCEPTED, InvitationState.WITHDRAWN}:
        raise InvitationClosed(_("This invitation was accepted or withdrawn before."))
    if now - invitation.sent_at < AT_LEAST_BETWEEN:
        return Sent(invitation, None)
    token = secrets.token_urlsafe(32)
    invitation.token_digest = _digest(token)
    invitation.sent_at, invitation.expires_at = now, now + VALID_FOR
    invitation.save(update_fields=["token_digest", "sent_at", "expires_at"])
    _record(AuditAction.INVITATION_RESENT, invitation)
    return Sent(invitation, token)


@transaction.atomic
def invitation_withdraw(*, invitation: Invitation) -> bool:
    """Makes the link worthless; False if it was accepted or withdrawn before."""
    invitation, now = _locked(invitation), utc_now()
    if invitation.state_at(now) in {InvitationState.ACCEPTED, InvitationState.WITHDRAWN}:
        return False
    invitation.withdrawn_at = now
    invitation.save(update_fields=["withdrawn_at"])
    _record(AuditAction.INVITATION_WITHDRAWN, invitation, role=(invitation.role, None))
    return True


@transaction.atomic
def invitation_accept(*, invitation: Invitation, user: User, addresses: Collection[str]) -> Membership:
    """Makes `user`, to whom `addresses` are proven to belong, a member. Who is one already stays what they are.

    Raises AddressMismatch and InvitationClosed.
    """
    invitation, now = _locked(invitation), utc_now()
    if invitation.email not in {address.lower() for address in addresses}:
        raise AddressMismatch(_("This invitation is for %(email)s.") % {"email": invitation.email})
    if invitation.state_at(now) is not InvitationState.OPEN:
        raise InvitationClosed(_("This invitation was accepted or withdrawn before, or has expired."))
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    member, is_new = Membership.objects.get_or_create(
        account=invitation.account, user=user, defaults={"role": invitation.role}
    )
    if is_new:
        audit(
            AuditAction.MEMBER_JOINED,
            account=invitation.account,
            on=user,
            name=user.email,
            changes={"role": (None, invitation.role)},
        )
    return member


def invitation_by_token(token: str) -> Invitation | None:
    found = Invitation.objects.filter(token_digest=_digest(token))
    return found.select_related("account", "invited_by").first()


def invitations_open(account: Account) -> list[Invitation]:
    """Those that can still be accepted or sent again, in the order in which they were made."""
    return list(account.invitations.filter(accepted_at=None, withdrawn_at=None))


def invitation_users(invitation: Invitation) -> list[int]:
    """The ids of the users to whom the address belongs: they sign in and need not sign up."""
    return _users_with(invitation.email)


def verified_addresses(user: User) -> list[str]:
    return list(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))


def _users_with(email: str) -> list[int]:
    owners = EmailAddress.objects.filter(email__iexact=email, verified=True).values_list("user", flat=True)
    return [*owners, *User.objects.filter(email__iexact=email).values_list("pk", flat=True)]


def _locked(invitation: Invitation) -> Invitation:
    """As it is now, held until the end: of two who accept at once, the second finds it accepted."""
    held = Invitation.objects.select_for_update(of=("self",))
    return held.select_related("account").get(pk=invitation.pk)


def _digest(token: str) -> str:
    # A token of 256 random bits is not to be guessed, so that a plain digest of it is enough.
    return hashlib.sha256(token.encode()).hexdigest()


def _record(action: AuditAction, invitation: Invitation, **changes: tuple[object, object]) -> None:
    audit(action, account=invitation.account, on=invitation, name=invitation.email, changes=changes)
