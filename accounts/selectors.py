"""Who may see what."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Account, Membership, Plan, User


def accounts_of(user: User) -> QuerySet[Account]:
    """The accounts that `user` is a member of, oldest first, with their plans."""
    return Account.objects.filter(memberships__user=user).select_related("plan").order_by("id")


def memberships_of(account: Account) -> QuerySet[Membership]:
    """Who belongs to `account`, in the order in which they came."""
    return account.memberships.select_related("user").order_by("created_at", "id")


def plans() -> QuerySet[Plan]:
    return Plan.objects.order_by("position")


def account_by_email(email: str) -> Account | None:
    """The account of the user with that address: the first, where there are several."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    return None if user is None else accounts_of(user).first()
