"""The way from an invitation's link through signing up into the account: what the session remembers on it."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

from accounts.current import work_in
from accounts.errors import InvitationError
from accounts.invitations import invitation_accept
from accounts.models import Invitation, Membership, User

_SESSION_KEY = "invitation_id"


def begin_signing_up(request: HttpRequest, invitation: Invitation) -> None:
    """Who has the link reads the mails of its address, so that no second mail has to prove it."""
    get_adapter().stash_verified_email(request, invitation.email)
    request.session[_SESSION_KEY] = invitation.pk


def address_proven(request: HttpRequest) -> str | None:
    """The invited address, while its owner signs up."""
    address: str | None = request.session.get("account_verified_email")
    return address


def join_by_signing_up(request: HttpRequest, user: User) -> Membership | None:
    """Takes the user just made into the account they are invited to; None where they aren't, or are no longer."""
    invitation = Invitation.objects.filter(pk=request.session.pop(_SESSION_KEY, None)).first()
    if invitation is None:
        return None
    addresses = [user.email] if get_adapter().is_email_verified(request, user.email) else []
    try:
        member = invitation_accept(invitation=invitation, user=user, addresses=addresses)
    except InvitationError:
        return None
    work_in(request, member.account)
    return member
