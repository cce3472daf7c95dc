"""Opens accounts and changes them."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.changes import announce_account_change
from accounts.models import Account, Membership, Plan, Role, User
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month

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
    """Puts the account on `plan` at once; every gate hears of it after the commit. What was to follow is dropped."""
    audit(
        AuditAction.ACCOUNT_PLAN_CHANGED,
        account=account,
        on=account,
        changes={"plan": (account.plan.slug, plan.slug)},
    )
    account.plan, account.next_plan, account.next_plan_on = plan, None, None
    account.save(update_fields=["plan", "next_plan", "next_plan_on"])
    announce_account_change(account.pk)


@transaction.atomic
def account_change_plan(*, account: Account, plan: Plan, today: date) -> date:
    """Changes to a higher plan at once and to a lower one when the month of `today` ends; returns the first day.

    A change that was to follow gives way to this one.
    """
    if plan.position >= account.plan.position:
        account_set_plan(account=account, plan=plan)
        return today
    account.next_plan, account.next_plan_on = plan, Month.of(today).next.first_day
    audit(
        AuditAction.ACCOUNT_PLAN_TO_CHANGE,
        account=account,
        on=account,
        changes={"plan": (account.plan.slug, plan.slug), "from": (None, account.next_plan_on.isoformat())},
    )
    account.save(update_fields=["next_plan", "next_plan_on"])
    announce_account_change(account.pk)
    return account.next_plan_on


@transaction.atomic
def account_keep_plan(*, account: Account) -> bool:
    """Takes a change back that has not come yet; returns whether there was one."""
    if account.next_plan is None:
        return False
    audit(
        AuditAction.ACCOUNT_PLAN_KEPT,
        account=account,
        on=account,
        changes={"plan": (account.next_plan.slug, account.plan.slug)},
    )
    account.next_plan, account.next_plan_on = None, None
    account.save(update_fields=["next_plan", "next_plan_on"])
    announce_account_change(account.pk)
    return True


def plans_change_due(*, today: date) -> int:
    """Makes every change of plan whose day has come, and returns how many. Safe to run twice and beside itself."""
    due = Account.objects.filter(next_plan_on__lte=today).order_by("id").values_list("pk", flat=True)
    return sum(_change_plan_due(account_id, today) for account_id in list(due))


@transaction.atomic
def _change_plan_due(account_id: int, today: date) -> bool:
    account = Account.objects.select_for_update(of=("self",)).select_related("plan", "next_plan").get(pk=account_id)
    if account.next_plan is None or account.next_plan_on is None or account.next_plan_on > today:
        return False
    account_set_plan(account=account, plan=account.next_plan)
    return True


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
