"""Requests for a plan: made and taken back by customers, decided by operators."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.models import Account, Plan, User
from accounts.services import account_change_plan
from billing.errors import AlreadyRequested, RequestClosed, SamePlan
from billing.ledger import monthly_credit_grant
from billing.models import PlanRequest, RequestState
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_of

_CLOSED = {
    RequestState.APPROVED: gettext_lazy("The request was approved before."),
    RequestState.DECLINED: gettext_lazy("The request was declined before."),
    RequestState.WITHDRAWN: gettext_lazy("The request was withdrawn before."),
}


def plan_request_make(*, account: Account, plan: Plan, note: str, by: User | None) -> PlanRequest:
    """A new request, for an operator to decide. Raises SamePlan, AlreadyRequested."""
    if account.plan_id == plan.pk and account.next_plan_id is None:
        raise SamePlan(_("The account is on the plan %(plan)s already.") % {"plan": plan.name})
    try:
        with transaction.atomic():
            made = PlanRequest.objects.create(
                account=account, plan=plan, note=note, requested_by=by, created_at=utc_now()
            )
            audit(AuditAction.PLAN_REQUESTED, account=account, on=made, name=plan.name)
    except IntegrityError:
        raise AlreadyRequested(_("Another plan has been asked for; take that request back first.")) from None
    return made


def plan_request_withdraw(*, request: PlanRequest) -> None:
    """Takes an open request back. Raises RequestClosed."""
    _end(request, RequestState.WITHDRAWN, "", AuditAction.PLAN_REQUEST_WITHDRAWN)


def plan_request_decline(*, request: PlanRequest, answer: str) -> None:
    """Says no, and why. Raises RequestClosed."""
    _end(request, RequestState.DECLINED, answer, AuditAction.PLAN_REQUEST_DECLINED)


@transaction.atomic
def plan_request_approve(*, request: PlanRequest, answer: str = "") -> date:
    """Gives the plan: a higher one at once, with its credit, a lower one from next month on. Returns its first day.

    Raises RequestClosed.
    """
    request = _end(request, RequestState.APPROVED, answer, AuditAction.PLAN_REQUEST_APPROVED)
    account, today = request.account, day_of(utc_now(), settings.BILLING_ZONE)
    first_day = account_change_plan(account=account, plan=request.plan, today=today)
    monthly_credit_grant(month=Month.of(today), accounts=[account])
    return first_day


def open_request_of(account: Account) -> PlanRequest | None:
    return PlanRequest.objects.filter(account=account, state=RequestState.OPEN).select_related("plan").first()


@transaction.atomic
def _end(request: PlanRequest, state: RequestState, answer: str, action: AuditAction) -> PlanRequest:
    locked = PlanRequest.objects.select_for_update(of=("self",)).select_related(
        "account__plan", "account__next_plan", "plan"
    )
    request = locked.get(pk=request.pk)
    if request.state != RequestState.OPEN:
        raise RequestClosed(str(_CLOSED[RequestState(request.state)]))
    request.state, request.answer, request.decided_at = state, answer, utc_now()
    request.save(update_fields=["state", "answer", "decided_at"])
    audit(
        action, account=request.account, on=request, name=request.plan.name, changes={"answer": (None, answer or None)}
    )
    return request
