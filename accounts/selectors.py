"""Who may see what."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Account, Plan, User


def accounts_of(user: User) -> QuerySet[Account]:
    """The accounts that `user` is a member of, oldest first, with their plans."""
    return Account.objects.filter(memberships__user=user).select_related("plan").order_by("id")


def plans() -> QuerySet[Plan]:
    return Plan.objects.order_by("position")
