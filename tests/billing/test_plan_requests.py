from __future__ import annotations

from datetime import date

import pytest

from accounts import services
from accounts.models import Account, CreditEnd, Plan
from accounts.services import account_change_plan, account_keep_plan, plans_change_due
from billing import plan_requests
from billing.deposits import deposit_record
from billing.errors import AlreadyRequested, RequestClosed, SamePlan
from billing.ledger import monthly_credit_grant
from billing.models import PlanRequest
from billing.plan_requests import (
    plan_request_approve,
    plan_request_decline,
    plan_request_make,
    plan_request_withdraw,
)
from billing.selectors import allowance_of
from tests.billing.books import CREDIT, NOVEMBER, USD, entries, old_account, stop_clock
from tests.factories import T0, owner_of

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)
    monkeypatch.setattr(plan_requests, "utc_now", lambda: T0)


def plan(slug: str) -> Plan:
    return Plan.objects.get(slug=slug)


def ask(account: Account, slug: str) -> PlanRequest:
    return plan_request_make(account=account, plan=plan(slug), note="By bank", by=owner_of(account))


def fresh(account: Account) -> Account:
    return Account.objects.select_related("plan", "next_plan").get(pk=account.pk)


def test_higher_plan_begins_at_once_and_its_credit_is_made_up_to() -> None:
    account = old_account()
    Plan.objects.filter(slug="pro").update(credit_micro_usd=150 * USD)
    monthly_credit_grant(month=NOVEMBER, accounts=[account])
    assert plan_request_approve(request=ask(account, "pro")) == TODAY
    assert fresh(account).plan.slug == "pro"
    assert [entry[2:] for entry in entries(account)] == [("", CREDIT), ("raised to 150000000", 50 * USD)]
    assert allowance_of(fresh(account), NOVEMBER) == 150 * USD
    assert monthly_credit_grant(month=NOVEMBER) == 0


def test_lower_plan_begins_when_the_month_ends() -> None:
    account = old_account(plan="pro")
    Plan.objects.filter(slug="free").update(credit_micro_usd=10 * USD)
    assert plan_request_approve(request=ask(account, "free")) == date(2026, 12, 1)
    assert fresh(account).plan.slug == "pro"
    # Its credit counts from its first instant, whenever the change is made.
    assert allowance_of(fresh(account), NOVEMBER) == CREDIT
    assert allowance_of(fresh(account), NOVEMBER.next) == 10 * USD
    assert plans_change_due(today=date(2026, 11, 30)) == 0
    assert plans_change_due(today=date(2026, 12, 1)) == 1
    assert plans_change_due(today=date(2026, 12, 1)) == 0
    assert (fresh(account).plan.slug, fresh(account).next_plan) == ("free", None)


def test_change_that_was_to_follow_can_be_taken_back_and_gives_way_to_another() -> None:
    account = old_account(plan="pro")
    account_change_plan(account=account, plan=plan("free"), today=TODAY)
    assert account_keep_plan(account=account)
    assert not account_keep_plan(account=account)
    account_change_plan(account=account, plan=plan("free"), today=TODAY)
    account_change_plan(account=account, plan=plan("business"), today=TODAY)
    assert plans_change_due(today=date(2026, 12, 1)) == 0
    assert fresh(account).plan.slug == "business"


def test_second_request_is_refused_while_one_is_open() -> None:
    account = old_account()
    ask(account, "pro")
    with pytest.raises(AlreadyRequested):
        ask(account, "business")
    assert PlanRequest.objects.count() == 1


def test_plan_of_today_cannot_be_asked_for() -> None:
    with pytest.raises(SamePlan):
        ask(old_account(), "free")


def test_decided_request_is_not_decided_again() -> None:
    account = old_account()
    request = ask(account, "pro")
    plan_request_decline(request=request, answer="No deposit came")
    for decide in (plan_request_approve, plan_request_withdraw):
        with pytest.raises(RequestClosed):
            decide(request=request)
    assert fresh(account).plan.slug == "free"
    assert PlanRequest.objects.get().answer == "No deposit came"
    ask(account, "pro")


def test_gates_hear_of_a_change_of_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    monkeypatch.setattr(services, "announce_account_change", heard.append)
    account = old_account()
    account_change_plan(account=account, plan=plan("pro"), today=TODAY)
    assert heard == [account.pk]


def test_plan_that_stops_with_its_credit_leaves_the_balance_untouched() -> None:
    account = old_account()
    Plan.objects.filter(slug="free").update(credit_end=CreditEnd.STOP)
    deposit_record(account=account, amount_micro_usd=20 * USD, source="bank 1")
    assert allowance_of(fresh(account), NOVEMBER) == CREDIT
    Plan.objects.filter(slug="free").update(credit_end=CreditEnd.BALANCE)
    assert allowance_of(fresh(account), NOVEMBER) == CREDIT + 20 * USD


def test_plan_of_an_account_is_the_next_one_from_its_day_on() -> None:
    account = old_account(plan="pro")
    account_change_plan(account=account, plan=plan("basic"), today=TODAY)
    assert [account.plan_on(day).slug for day in (date(2026, 11, 30), date(2026, 12, 1))] == ["pro", "basic"]
