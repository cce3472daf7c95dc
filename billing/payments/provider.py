"""What a payment provider must offer, and what it tells of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Checkout:
    """A deposit that somebody is about to pay. `token` makes starting it twice start it once."""

    account_id: int
    email: str
    amount_micro_usd: int
    token: str
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """Money has come for an account. `reference` is the provider's name of the payment, the same whenever it tells."""

    reference: str
    account_id: int
    amount_micro_usd: int


@dataclass(frozen=True, slots=True)
class PaymentReturned:
    """Money of an earlier payment, or a part of it, has gone back to who paid."""

    reference: str
    payment_reference: str
    amount_micro_usd: int


PaymentEvent = PaymentReceived | PaymentReturned


class PaymentProvider(Protocol):
    """Somebody who takes money for us and tells us of it over a signed webhook."""

    @property
    def name(self) -> str:
        """Stands before each reference in the ledger."""

    def start(self, checkout: Checkout) -> str:
        """The URL of the page where it is paid. Raises PaymentUnavailable."""

    def read(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent | None:
        """What a webhook tells; None where that is nothing of ours. Raises WebhookRefused."""
