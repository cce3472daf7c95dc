"""Members and open invitations as the account page shows them. Asks no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Invitation, InvitationState, Membership
from accounts.permissions import roles_given_by


@dataclass(frozen=True, slots=True)
class MemberRow:
    """`can_open`: the viewer may change them, or they are the viewer, who may leave."""

    member: Membership
    is_viewer: bool
    can_open: bool
    # None where it is not the viewer's business.
    has_second_factor: bool | None


@dataclass(frozen=True, slots=True)
class InvitationRow:
    invitation: Invitation
    is_expired: bool


def member_rows(members: Iterable[Membership], *, viewer: Membership) -> list[MemberRow]:
    """`members` carry `has_second_factor`, which only those who manage members are told."""
    given = roles_given_by(viewer.role)
    return [
        MemberRow(
            member=member,
            is_viewer=member.pk == viewer.pk,
            can_open=member.pk == viewer.pk or member.role in given,
            has_second_factor=getattr(member, "has_second_factor", None) if given else None,
        )
        for member in members
    ]


def invitation_rows(invitations: Iterable[Invitation], *, now: datetime) -> list[InvitationRow]:
    return [InvitationRow(each, each.state_at(now) is InvitationState.EXPIRED) for each in invitations]
