"""Who may see what."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Account, Membership, Plan, Role, User


def accounts_of(user: User) -> QuerySet[Account]:
    """The accounts that `user` is a member of, oldest first, with their plans."""
    return Account.objects.filter(memberships__user=user).select_related("plan", "next_plan").order_by("id")


def memberships_of_user(user: User) -> list[Membership]:
    """What `user` is a member of, with accounts and plans, the oldest account first; in one query."""
    return list(user.memberships.select_related("account__plan", "account__next_plan").order_by("account_id"))


def memberships_of(account: Account) -> QuerySet[Membership]:
    """Who belongs to `account`, in the order in which they came; `has_second_factor` where signing in takes one."""
    second_factors = Authenticator.objects.filter(user=OuterRef("user")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    members = account.memberships.select_related("user").order_by("created_at", "id")
    return members.annotate(has_second_factor=Exists(second_factors))


def owners_of(account: Account) -> list[str]:
    """The addresses of the owners: whom to ask."""
    owners = account.memberships.filter(role=Role.OWNER).order_by("id")
    return list(owners.values_list("user__email", flat=True))


def owns_an_account(user: User) -> bool:
    return user.memberships.filter(role=Role.OWNER).exists()


def plans() -> QuerySet[Plan]:
    return Plan.objects.order_by("position")


def account_by_email(email: str) -> Account | None:
    """The account of the user with that address: the first, where there are several."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    return None if user is None else accounts_of(user).first()
