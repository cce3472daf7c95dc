"""Writes what a payment provider tells into the ledger, once, however often it tells; names the provider in use."""

from __future__ import annotations

from functools import cache
from typing import assert_never

from django.conf import settings

from accounts.models import Account
from billing.deposits import deposit_record, refund_record
from billing.errors import PaymentsOff, WebhookRefused
from billing.models import EntryKind, LedgerEntry
from billing.notes import PAID_ONLINE, REFUNDED_ONLINE
from billing.payments.provider import PaymentEvent, PaymentProvider, PaymentReceived, PaymentReturned
from billing.payments.stripe_checkout import StripeCheckout


def takes_payments() -> bool:
    return bool(settings.PAYMENT_PROVIDER)


def payment_provider() -> PaymentProvider:
    """The installation's. Raises PaymentsOff where it has none."""
    match settings.PAYMENT_PROVIDER:
        case "stripe":
            return _stripe(settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_API_URL)
        case _:
            raise PaymentsOff("This installation takes no payments here.")


def payment_receive(event: PaymentEvent, provider: str) -> bool:
    """Writes the deposit or refund; returns whether it was new. Raises WebhookRefused for one of no account."""
    match event:
        case PaymentReceived():
            account = Account.objects.filter(pk=event.account_id).first()
            if account is None:
                raise WebhookRefused(f"There is no account {event.account_id}.")
            return deposit_record(
                account=account,
                amount_micro_usd=event.amount_micro_usd,
                source=f"{provider}:{event.reference}",
                note=PAID_ONLINE,
            )
        case PaymentReturned():
            # The money has gone back already, whatever that leaves.
            return refund_record(
                account=_payer(f"{provider}:{event.payment_reference}"),
                amount_micro_usd=event.amount_micro_usd,
                source=f"{provider}:{event.reference}",
                note=REFUNDED_ONLINE,
                is_made=True,
            )
        case _:
            assert_never(event)


def _payer(source: str) -> Account:
    deposit = LedgerEntry.objects.filter(kind=EntryKind.DEPOSIT, source=source).select_related("account").first()
    if deposit is None:
        raise WebhookRefused(f"There is no deposit {source}.")
    return deposit.account


@cache
def _stripe(secret_key: str, webhook_secret: str, api_url: str) -> StripeCheckout:
    return StripeCheckout(secret_key, webhook_secret, api_url)
