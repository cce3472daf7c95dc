"""Changes who belongs to an account, and as what. An account always keeps an owner."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.errors import LastOwner, RoleTooLow
from accounts.models import Account, Membership, Role
from accounts.permissions import Permission, may, roles_given_by


@transaction.atomic
def member_set_role(*, by: Membership, member: Membership, role: Role) -> bool:
    """Gives `member` another role; False if it is the one they have.

    Raises RoleTooLow where the role of `by` gives or takes neither, and LastOwner.
    """
    by, member = _locked(by), _locked(member)
    _check_power(by, member, role)
    if member.role == role:
        return False
    if role is not Role.OWNER:
        _check_owner_stays(member)
    _set_role(member, role)
    return True


@transaction.atomic
def member_remove(*, by: Membership, member: Membership) -> None:
    """Takes `member` out of the account, at once. Raises RoleTooLow and LastOwner."""
    by, member = _locked(by), _locked(member)
    _check_power(by, member)
    _check_owner_stays(member)
    _record(AuditAction.MEMBER_REMOVED, member, role=(member.role, None))
    member.delete()


@transaction.atomic
def member_leave(*, member: Membership) -> None:
    """Raises LastOwner for the only owner, who has to hand the account over first."""
    member = _locked(member)
    _check_owner_stays(member)
    _record(AuditAction.MEMBER_LEFT, member, role=(member.role, None))
    member.delete()


@transaction.atomic
def account_hand_over(*, by: Membership, to: Membership) -> None:
    """Makes `to` an owner, and `by` an admin. Raises RoleTooLow where `by` is no owner, or is `to`."""
    by, to = _locked(by), _locked(to)
    if not may(by.role, Permission.HAND_OVER) or by.pk == to.pk:
        raise RoleTooLow(_("Only an owner can hand the account over, and to somebody else."))
    _set_role(to, Role.OWNER)
    _set_role(by, Role.ADMIN)
    audit(
        AuditAction.ACCOUNT_HANDED_OVER,
        account=by.account,
        on=by.account,
        changes={"owner": (by.user.email, to.user.email)},
    )


def _locked(member: Membership) -> Membership:
    """As it is now, the account's members held still until the end: else two owners could leave at once.

    Raises RoleTooLow for one that is a member no longer.
    """
    Account.objects.select_for_update().get(pk=member.account_id)
    found = Membership.objects.filter(pk=member.pk).select_related("account", "user").first()
    if found is None:
        raise RoleTooLow(_("One of you is not a member of this account any more."))
    return found


def _check_power(by: Membership, member: Membership, role: Role | None = None) -> None:
    given = roles_given_by(by.role)
    if by.account_id != member.account_id or not {member.role, role or member.role} <= set(given):
        raise RoleTooLow(_("Your role may not change this member, or not to that role."))


def _check_owner_stays(member: Membership) -> None:
    owners = Membership.objects.filter(account_id=member.account_id, role=Role.OWNER)
    if member.role == Role.OWNER and not owners.exclude(pk=member.pk).exists():
        raise LastOwner(_("An account needs an owner. Hand it over to another member first."))


def _set_role(member: Membership, role: Role) -> None:
    _record(AuditAction.MEMBER_ROLE_CHANGED, member, role=(member.role, role))
    member.role = role
    member.save(update_fields=["role"])


def _record(action: AuditAction, member: Membership, **changes: tuple[object, object]) -> None:
    audit(action, account=member.account, on=member.user, name=member.user.email, changes=changes)
