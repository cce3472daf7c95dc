"""What each role may do, in one table, and who may change whom. Asks no database."""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Role


class Permission(models.TextChoices):
    """Something that not every member may do. The label ends the sentence “Your role may not …”."""

    SEE = "see", _("see this account")
    SEE_REQUESTS = "see_requests", _("see single requests")
    CHANGE_KEYS = "change_keys", _("create, show or change keys")
    SEE_BILLS = "see_bills", _("see the bills")
    CHANGE_BILLING = "change_billing", _("ask for plans, pay or set budgets")
    MANAGE_MEMBERS = "manage_members", _("invite or change members")
    CHANGE_ACCOUNT = "change_account", _("change the account")
    SEE_HISTORY = "see_history", _("see the history of changes")
    HAND_OVER = "hand_over", _("hand the account over")


_BILLING = frozenset({Permission.SEE_BILLS, Permission.CHANGE_BILLING})
_ADMIN = frozenset(Permission) - {Permission.HAND_OVER} - _BILLING

# Everybody sees the keys without their texts, the statistics and who is a member. Single requests tell where
# callers are: who only pays the bills has no need of them.
ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: _ADMIN,
    Role.DEVELOPER: frozenset({Permission.SEE, Permission.SEE_REQUESTS, Permission.CHANGE_KEYS}),
    Role.BILLING: frozenset({Permission.SEE}) | _BILLING,
    Role.VIEWER: frozenset({Permission.SEE, Permission.SEE_REQUESTS}),
}

# What a role is for, as those who give it are told.
PURPOSES: dict[Role, Promise] = {
    Role.OWNER: _("Everything, and may hand the account over."),
    Role.ADMIN: _("Keys, members and settings; no bills."),
    Role.DEVELOPER: _("Creates, shows and changes keys; no bills."),
    Role.BILLING: _("Bills, plans, budgets and payments; can’t show or change keys."),
    Role.VIEWER: _("Looks at keys and statistics; changes nothing."),
}


def may(role: str, permission: Permission) -> bool:
    return permission in ALLOWED[Role(role)]


def roles_with(permission: Permission) -> list[Role]:
    return [role for role in Role if permission in ALLOWED[role]]


def roles_given_by(role: str) -> list[Role]:
    """The roles that one of `role` may give and take: owners all, admins all but the owner's."""
    if not may(role, Permission.MANAGE_MEMBERS):
        return []
    return [given for given in Role if given is not Role.OWNER or may(role, Permission.HAND_OVER)]
