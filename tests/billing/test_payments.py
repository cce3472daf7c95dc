"""Stripe, by events signed as it signs them and a server of ours that answers as it does."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Account
from billing.models import LedgerEntry
from tests.billing.books import USD, plain_sum
from tests.factories import make_member

URL = "/billing/webhooks/stripe"
SECRET = "whsec_made_up"


@pytest.fixture
def payments(settings: Settings) -> None:
    settings.PAYMENT_PROVIDER, settings.STRIPE_WEBHOOK_SECRET = "stripe", SECRET
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_URL = "sk_test_made_up", ""


def paid(account_id: int, *, payment: str = "pi_1", n_cents: int = 2_000, **about: Any) -> dict[str, Any]:
    session = {
        "object": "checkout.session",
        "payment_status": "paid",
        "payment_intent": payment,
        "amount_total": n_cents,
        "currency": "usd",
        "metadata": {"goongdash_account": str(account_id)},
        **about,
    }
    return event("checkout.session.completed", session)


def refunded(*, refund: str = "re_1", payment: str = "pi_1", n_cents: int = 500, status: str = "succeeded") -> Any:
    about = {"object": "refund", "id": refund, "payment_intent": payment, "amount": n_cents, "currency": "usd"}
    return event("refund.updated", {**about, "status": status})


def event(kind: str, about: dict[str, Any]) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": kind, "data": {"object": about}}


def tell(told: dict[str, Any] | bytes, *, secret: str = SECRET, at: float | None = None) -> int:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    at = int(time.time() if at is None else at)
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={at},v1={signature}"}
    return Client().post(URL, body, content_type="application/json", headers=headers).status_code


def test_paid_checkout_is_a_deposit_once_however_often_it_is_told(payments: None, alice: Account) -> None:
    assert [tell(paid(alice.pk)) for _ in range(3)] == [200, 200, 200]
    entry = LedgerEntry.objects.get(account=alice)
    assert (entry.kind, entry.source, entry.amount_micro_usd) == ("deposit", "stripe:pi_1", 20 * USD)


def test_refund_is_taken_off_once_and_only_when_it_is_through(payments: None, alice: Account) -> None:
    tell(paid(alice.pk))
    assert tell(refunded(status="pending")) == 200
    assert [tell(refunded()) for _ in range(2)] == [200, 200]
    assert plain_sum(alice) == 15 * USD


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b'{"object": "event"}',
        json.dumps(event("checkout.session.completed", {})).encode(),
        json.dumps(paid(0)).encode(),
        json.dumps(paid(1, currency="vnd")).encode(),
        json.dumps(refunded(payment="pi_unknown")).encode(),
    ],
)
def test_what_cannot_be_read_or_belongs_to_nobody_is_refused(payments: None, alice: Account, told: bytes) -> None:
    assert tell(told) == 400
    assert not LedgerEntry.objects.exists()


def test_unsigned_wrongly_signed_and_old_events_are_refused(payments: None, alice: Account) -> None:
    told = paid(alice.pk)
    assert tell(told, secret="whsec_other") == 400
    assert tell(told, at=time.time() - 3_600) == 400
    assert Client().post(URL, json.dumps(told), content_type="application/json").status_code == 400
    assert not LedgerEntry.objects.exists()


def test_events_of_other_programs_are_let_be(payments: None, alice: Account) -> None:
    assert tell(paid(alice.pk, metadata={})) == 200
    assert tell(paid(alice.pk, payment_status="unpaid")) == 200
    assert tell(event("customer.created", {"object": "customer"})) == 200
    assert not LedgerEntry.objects.exists()


def test_without_a_provider_nothing_of_it_is_there(alice: Account, alice_client: Client) -> None:
    assert tell(paid(alice.pk)) == 404
    assert alice_client.get("/billing/deposit", headers={"HX-Request": "true"}).status_code == 404
    assert alice_client.post("/billing/deposit", {"amount": "20"}).status_code == 404
    assert "Add money" not in alice_client.get("/billing").content.decode()


def test_deposit_leads_to_the_providers_page(payments: None, alice_client: Client, settings: Settings) -> None:
    with stripe_server(200, {"id": "cs_1", "object": "checkout.session", "url": "https://pay.example/1"}) as asked:
        settings.STRIPE_API_URL = asked.url
        data = {"amount": "20.50", "token": "3f2b8f4e-56f4-4a55-9d0b-6c6a3f1a2b3c"}
        response = alice_client.post("/billing/deposit", data, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == "https://pay.example/1"
    assert asked.form["line_items[0][price_data][unit_amount]"] == ["2050"]
    assert asked.form["success_url"] == ["http://testserver/billing/deposit/paid"]
    assert asked.headers["Idempotency-Key"] == data["token"]
    assert not LedgerEntry.objects.exists()


def test_provider_that_fails_loses_nothing_typed(payments: None, alice_client: Client, settings: Settings) -> None:
    with stripe_server(400, {"error": {"message": "No such key", "type": "invalid_request_error"}}) as asked:
        settings.STRIPE_API_URL = asked.url
        data = {"amount": "20.50", "token": "3f2b8f4e-56f4-4a55-9d0b-6c6a3f1a2b3c"}
        response = alice_client.post("/billing/deposit", data, headers={"HX-Request": "true"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "could not be opened" in page and 'value="20.50"' in page and "sk_test" not in page


@pytest.mark.parametrize("amount", ["", "4.99", "10000.01", "1e9", "12,50", "20.005", "-20", "₫20", "9" * 60])
def test_odd_amounts_are_said_to_be(payments: None, alice_client: Client, amount: str) -> None:
    data = {"amount": amount, "token": "3f2b8f4e-56f4-4a55-9d0b-6c6a3f1a2b3c"}
    response = alice_client.post("/billing/deposit", data, headers={"HX-Request": "true"})
    assert response.status_code == 422
    assert 'class="field-error' in response.content.decode() or "is-invalid" in response.content.decode()


def test_only_owner_and_billing_may_pay(payments: None, alice: Account) -> None:
    statuses = {}
    for role in ("admin", "developer", "viewer", "billing"):
        client = Client()
        client.force_login(make_member(alice, role).user)
        statuses[role] = client.get("/billing/deposit", headers={"HX-Request": "true"}).status_code
    assert statuses == {"admin": 403, "developer": 403, "viewer": 403, "billing": 200}


class Asked:
    url: str
    form: dict[str, list[str]]
    headers: Any


@contextmanager
def stripe_server(status: int, answer: dict[str, Any]) -> Iterator[Asked]:
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.form, asked.headers = parse_qs(body.decode()), self.headers
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    asked.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_money_that_a_bank_took_back_is_taken_off_once(payments: None, alice: Account) -> None:
    tell(paid(alice.pk))
    dispute = {"object": "dispute", "id": "dp_1", "payment_intent": "pi_1", "amount": 2_000, "currency": "usd"}
    told = event("charge.dispute.funds_withdrawn", {**dispute, "status": "needs_response"})
    assert [tell(told) for _ in range(2)] == [200, 200]
    assert plain_sum(alice) == 0


def test_refund_in_another_currency_is_another_programs(payments: None, alice: Account) -> None:
    other = refunded(payment="pi_of_another")
    other["data"]["object"]["currency"] = "eur"
    assert tell(other) == 200
    assert not LedgerEntry.objects.exists()
