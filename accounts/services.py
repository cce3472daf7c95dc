"""Opens accounts and changes them."""

from __future__ import annotations

from django.db import transaction

from accounts.changes import announce_account_change
from accounts.models import Account, Membership, Plan, Role, User
from goongdash.lib.clock import utc_now

DEFAULT_PLAN = "free"


@transaction.atomic
def account_open(*, user: User, name: str = "", plan: str = DEFAULT_PLAN) -> Account:
    """A new account that `user` owns, on the plan with that slug. Raises Plan.DoesNotExist."""
    account = Account.objects.create(
        name=name or user.email.partition("@")[0],
        plan=Plan.objects.get(slug=plan),
        created_at=utc_now(),
    )
    Membership.objects.create(account=account, user=user, role=Role.OWNER)
    return account


@transaction.atomic
def account_rename(*, account: Account, name: str) -> None:
    account.name = name
    account.save(update_fields=["name"])


@transaction.atomic
def account_set_plan(*, account: Account, plan: Plan) -> None:
    """Puts the account on `plan` at once; every gate hears of it after the commit."""
    account.plan = plan
    account.save(update_fields=["plan"])
    announce_account_change(account.pk)
