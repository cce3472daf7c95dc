"""Stripe as the payment provider: Checkout pages, and webhooks whose signatures are checked.

https://docs.stripe.com/payments/checkout and https://docs.stripe.com/webhooks
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe
from django.utils.translation import gettext as _

from billing.errors import PaymentUnavailable, WebhookRefused
from billing.payments.provider import Checkout, PaymentEvent, PaymentReceived, PaymentReturned
from goongdash.lib.money import MICRO_PER_CENT

TIMEOUT_S = 10
CURRENCY = "usd"
# One Stripe account may serve several programs; only what carries this is ours.
_ACCOUNT = "goongdash_account"
_PAID = {"checkout.session.completed", "checkout.session.async_payment_succeeded"}
_REFUNDED = {"refund.created", "refund.updated"}
_DISPUTED = "charge.dispute.funds_withdrawn"


class StripeCheckout:
    """`api_url` is Stripe's own where it is empty."""

    name = "stripe"

    def __init__(self, secret_key: str, webhook_secret: str, api_url: str = "") -> None:
        self._webhook_secret = webhook_secret
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_url} if api_url else {},
            http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
            max_network_retries=2,
        )

    def start(self, checkout: Checkout) -> str:
        try:
            session = self._client.v1.checkout.sessions.create(
                params={
                    "mode": "payment",
                    "customer_email": checkout.email,
                    "success_url": checkout.success_url,
                    "cancel_url": checkout.cancel_url,
                    "metadata": {_ACCOUNT: str(checkout.account_id)},
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": CURRENCY,
                                "unit_amount": checkout.amount_micro_usd // MICRO_PER_CENT,
                                "product_data": {"name": _("Deposit")},
                            },
                        }
                    ],
                },
                options={"idempotency_key": checkout.token},
            )
        except stripe.StripeError as error:
            raise PaymentUnavailable(_("The payment page could not be opened; please try again later.")) from error
        if not session.url:
            raise PaymentUnavailable(_("The payment page could not be opened; please try again later."))
        return session.url

    def read(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent | None:
        signature = headers.get("Stripe-Signature", "")
        try:
            event = stripe.Webhook.construct_event(body, signature, self._webhook_secret)
            return _event(str(event["type"]), event["data"]["object"].to_dict())
        except (stripe.SignatureVerificationError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise WebhookRefused(f"This is no signed event of Stripe’s: {type(error).__name__}.") from error


def _event(kind: str, about: dict[str, Any]) -> PaymentEvent | None:
    """Of sessions that are paid, refunds that are through, and money that a bank has taken back.

    Raises KeyError or ValueError for odd ones.
    """
    if kind in _PAID and about["payment_status"] == "paid":
        account_id = (about.get("metadata") or {}).get(_ACCOUNT)
        if account_id is None:
            return None
        return PaymentReceived(
            str(about["payment_intent"]), int(account_id), _micro_usd(about["amount_total"], about["currency"])
        )
    # We take dollars only: a refund in another currency is another program's.
    is_back = kind == _DISPUTED or (kind in _REFUNDED and about["status"] == "succeeded")
    if is_back and about["currency"] == CURRENCY:
        return PaymentReturned(
            str(about["id"]), str(about["payment_intent"]), _micro_usd(about["amount"], about["currency"])
        )
    return None


def _micro_usd(n_cents: int, currency: str) -> int:
    if currency != CURRENCY:
        raise ValueError(currency)
    return int(n_cents) * MICRO_PER_CENT
