"""Opens accounts and changes them."""

from __future__ import annotations

from django.db import transaction

from accounts.audit import audit
from accounts.audit_actions import AuditAction
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
    audit(
        AuditAction.ACCOUNT_OPENED,
        account=account,
        on=account,
        changes={"plan": (None, account.plan.slug), "owner": (None, user.email)},
    )
    return account


@transaction.atomic
def account_rename(*, account: Account, name: str) -> None:
    if name == account.name:
        return
    audit(AuditAction.ACCOUNT_RENAMED, account=account, on=account, name=name, changes={"name": (account.name, name)})
    account.name = name
    account.save(update_fields=["name"])


@transaction.atomic
def account_ask_before_showing_keys(*, account: Account, asks: bool) -> None:
    """Whether showing a key's text asks for a recent sign-in."""
    audit(
        AuditAction.ACCOUNT_SECURITY_CHANGED,
        account=account,
        on=account,
        changes={"asks before showing keys": (account.asks_before_showing_keys, asks)},
    )
    account.asks_before_showing_keys = asks
    account.save(update_fields=["asks_before_showing_keys"])


@transaction.atomic
def account_set_plan(*, account: Account, plan: Plan) -> None:
    """Puts the account on `plan` at once; every gate hears of it after the commit."""
    audit(
        AuditAction.ACCOUNT_PLAN_CHANGED,
        account=account,
        on=account,
        changes={"plan": (account.plan.slug, plan.slug)},
    )
    account.plan = plan
    account.save(update_fields=["plan"])
    announce_account_change(account.pk)


@transaction.atomic
def membership_mail_notices(*, member: Membership, mails: bool) -> None:
    """Whether the account's notices are mailed to this member."""
    audit(
        AuditAction.MEMBER_MAILS_CHANGED,
        account=member.account,
        on=member.user,
        name=member.user.email,
        changes={"notices by e-mail": (member.mails_notices, mails)},
    )
    member.mails_notices = mails
    member.save(update_fields=["mails_notices"])
