"""What operators do with an account's money and wishes: through a page that asks, and recorded with their name."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Account, AuditEntry, Plan, User
from billing.models import LedgerEntry, PlanRequest
from billing.plan_requests import plan_request_make
from stats.outcomes import Outcome
from tests.billing.books import old_account
from tests.factories import PASSWORD, make_event, make_key
from tests.stats.usage import push_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", PASSWORD))
    return client


def staff(*codenames: str) -> Client:
    user = User.objects.create_user("staff@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def move_url(name: str, *accounts: Account) -> str:
    ids = ",".join(str(account.pk) for account in accounts)
    return reverse("admin:accounts_account_money", args=[name]) + f"?ids={ids}"


FIELDS = {"amount": "12.50", "reference": "bank 7", "reason": "As agreed"}


@pytest.mark.parametrize(
    ("name", "action"),
    [("grant", "credit.granted"), ("deposit", "money.deposited"), ("adjust", "money.adjusted")],
)
def test_money_moves_once_with_reference_reason_and_author(client: Client, name: str, action: str) -> None:
    account, other = old_account(), old_account()
    assert client.get(move_url(name, account)).status_code == 200
    assert not LedgerEntry.objects.exists()
    for text in ("1 written", "had this reference already"):
        response = client.post(move_url(name, account), FIELDS, follow=True)
        assert text in response.content.decode()
    entry = LedgerEntry.objects.get()
    assert (entry.account, entry.amount_micro_usd, entry.source) == (account, 12_500_000, "bank 7")
    assert (entry.note, entry.author) == ("As agreed", "operator@example.com")
    audited = AuditEntry.objects.get(action=action)
    assert (audited.account, audited.actor_name, audited.actor_kind) == (account, "operator@example.com", "operator")
    assert not other.ledger_entries.exists()


def test_several_accounts_are_picked_in_the_list_and_get_the_same(client: Client) -> None:
    accounts = [old_account(), old_account()]
    picked = {"action": "pick_grant", "_selected_action": [account.pk for account in accounts]}
    response = client.post(reverse("admin:accounts_account_changelist"), picked)
    assert set(response["Location"].split("ids=")[1].split(",")) == {str(account.pk) for account in accounts}
    client.post(response["Location"], FIELDS)
    assert set(LedgerEntry.objects.values_list("account", "kind")) == {(account.pk, "grant") for account in accounts}


def test_a_refund_is_of_the_account_s_own_money_and_all_or_none(client: Client) -> None:
    rich, poor = old_account(), old_account()
    client.post(move_url("deposit", rich), FIELDS)
    response = client.post(move_url("refund", rich, poor), {**FIELDS, "reference": "back 1"})
    assert response.status_code == 422
    assert "no more can be refunded" in response.content.decode()
    assert LedgerEntry.objects.count() == 1
    client.post(move_url("refund", rich), {**FIELDS, "reference": "back 1"})
    assert rich.ledger_entries.get(kind="refund").amount_micro_usd == -12_500_000


@pytest.mark.parametrize(
    "wrong", [{"amount": "-1"}, {"amount": "0"}, {"amount": "1.005"}, {"reference": " "}, {"reason": ""}]
)
def test_a_deposit_needs_an_amount_a_reference_and_a_reason(client: Client, wrong: dict[str, str]) -> None:
    assert client.post(move_url("deposit", old_account()), {**FIELDS, **wrong}).status_code == 422
    assert not LedgerEntry.objects.exists()


def test_only_who_may_write_the_ledger_moves_money(client: Client) -> None:
    account = old_account()
    looker = staff("view_account", "change_account")
    assert looker.get(move_url("grant", account)).status_code == 403
    assert looker.post(move_url("grant", account), FIELDS).status_code == 403
    assert "Record a deposit" not in looker.get(reverse("admin:accounts_account_changelist")).content.decode()
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("url", [lambda: move_url("steal", old_account()), lambda: move_url("grant")])
def test_no_such_move_and_no_account_are_not_found(client: Client, url: object) -> None:
    assert callable(url)
    assert client.get(url()).status_code == 404


def test_account_at_a_glance(client: Client) -> None:
    account = old_account()
    key = make_key(account)
    push_events([make_event(key, outcome=Outcome.RATE_LIMIT)])
    plan_request_make(account=account, plan=Plan.objects.get(slug="pro"), note="", by=None)
    page = client.get(reverse("admin:accounts_account_change", args=[account.pk]))
    glance = page.context["glance"]
    assert (glance.n_keys, glance.n_keys_active) == (1, 1)
    assert glance.credit.allowance_micro_usd == 100_000_000
    text = page.content.decode()
    assert "At a glance" in text and "asks for Pro" in text and "$100.00 left" in text
    assert f"{move_url('deposit', account)}" in text


def decide_url(name: str, *requests: PlanRequest) -> str:
    ids = ",".join(str(request.pk) for request in requests)
    return reverse("admin:billing_planrequest_decide", args=[name]) + f"?ids={ids}"


def test_requests_for_plans_are_decided_with_an_answer(client: Client) -> None:
    pro = Plan.objects.get(slug="pro")
    yes, no = (plan_request_make(account=old_account(), plan=pro, note="", by=None) for _ in range(2))
    picked = client.post(
        reverse("admin:billing_planrequest_changelist"), {"action": "approve", "_selected_action": [yes.pk]}
    )
    assert picked["Location"] == decide_url("approve", yes)
    assert client.post(decide_url("decline", no), {"answer": ""}).status_code == 422, "A refusal has a reason."
    client.post(decide_url("approve", yes), {"answer": "Welcome"})
    client.post(decide_url("decline", no), {"answer": "No deposit yet"})
    states = {request.pk: (request.state, request.answer) for request in PlanRequest.objects.all()}
    assert states == {yes.pk: ("approved", "Welcome"), no.pk: ("declined", "No deposit yet")}
    assert Account.objects.get(pk=yes.account_id).plan == pro
    assert Account.objects.get(pk=no.account_id).plan != pro
    again = client.post(decide_url("approve", yes), {"answer": ""}, follow=True)
    assert "was approved before" in again.content.decode()


def test_only_who_may_change_requests_decides_them() -> None:
    request = plan_request_make(account=old_account(), plan=Plan.objects.get(slug="pro"), note="", by=None)
    looker = staff("view_planrequest")
    assert looker.post(decide_url("approve", request), {"answer": ""}).status_code == 403
    request.refresh_from_db()
    assert request.state == "open"
