from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Account, Plan
from accounts.services import account_set_plan
from billing.models import PlanRequest
from billing.plan_requests import plan_request_approve, plan_request_make

HTMX = {"HX-Request": "true"}


def ask(client: Client, slug: str = "pro", note: str = "By bank") -> tuple[int, str]:
    response = client.post(f"/billing/plans/{slug}", {"note": note}, headers=HTMX)
    return response.status_code, response.content.decode()


def page(client: Client) -> str:
    return client.get("/billing").content.decode()


def test_customer_asks_for_a_plan_and_takes_it_back(alice: Account, alice_client: Client) -> None:
    assert "Ask for this plan" in page(alice_client)
    assert ask(alice_client)[0] == 200
    request = PlanRequest.objects.get(account=alice)
    assert (request.plan.slug, request.note, request.state) == ("pro", "By bank", "open")
    assert "You asked for <strong>Pro</strong>" in page(alice_client)
    alice_client.post("/billing/plan-request/end")
    request.refresh_from_db()
    assert request.state == "withdrawn"
    assert "You asked for" not in page(alice_client)


def test_second_request_is_refused_in_the_dialog_and_nothing_typed_is_lost(
    alice: Account, alice_client: Client
) -> None:
    ask(alice_client)
    status, text = ask(alice_client, "business", "Một lời nhắn")
    assert status == 422
    assert "take that request back first" in text and "Một lời nhắn" in text
    assert PlanRequest.objects.count() == 1


@pytest.mark.parametrize(("slug", "note", "status"), [("none", "", 404), ("free", "", 422), ("pro", "x" * 1_001, 422)])
def test_odd_requests_are_refused(alice: Account, alice_client: Client, slug: str, note: str, status: int) -> None:
    assert ask(alice_client, slug, note)[0] == status
    assert not PlanRequest.objects.exists()


def test_lower_plan_is_announced_and_can_be_taken_back(alice: Account, alice_client: Client) -> None:
    account_set_plan(account=alice, plan=Plan.objects.get(slug="pro"))
    request = plan_request_make(account=alice, plan=Plan.objects.get(slug="free"), note="", by=None)
    plan_request_approve(request=request)
    assert "Your plan changes to <strong>Free</strong>" in page(alice_client)
    alice_client.post("/billing/plan/keep")
    alice.refresh_from_db()
    assert (alice.plan.slug, alice.next_plan) == ("pro", None)


def test_taking_back_twice_does_no_harm(alice: Account, alice_client: Client) -> None:
    for url in ("/billing/plan-request/end", "/billing/plan/keep"):
        assert alice_client.post(url).status_code == 302
