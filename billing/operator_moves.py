"""What operators may do to the money of accounts: one table of moves, each a service that writes and audits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction

from accounts.models import Account
from billing.deposits import adjustment_post, deposit_record, refund_record
from billing.ledger import credit_grant
from billing.operator_forms import AdjustmentForm, MoneyForm


@dataclass(frozen=True, slots=True)
class Move:
    """`write` takes account, micro-dollars, reference and reason, and returns whether that was new."""

    title: str
    says: str
    form: type[MoneyForm]
    write: Callable[[Account, int, str, str], bool]


def _grant(account: Account, amount: int, reference: str, reason: str) -> bool:
    return credit_grant(account=account, amount_micro_usd=amount, source=reference, reason=reason)


def _deposit(account: Account, amount: int, reference: str, reason: str) -> bool:
    return deposit_record(account=account, amount_micro_usd=amount, source=reference, note=reason)


def _refund(account: Account, amount: int, reference: str, reason: str) -> bool:
    return refund_record(account=account, amount_micro_usd=amount, source=reference, note=reason)


def _adjust(account: Account, amount: int, reference: str, reason: str) -> bool:
    return adjustment_post(account=account, amount_micro_usd=amount, source=reference, reason=reason)


MOVES = {
    "grant": Move("Grant credit", "Credit as a gift; it stays until it is used.", MoneyForm, _grant),
    "deposit": Move("Record a deposit", "Money that was received.", MoneyForm, _deposit),
    "refund": Move("Record a refund", "Money that was given back: the account’s own, at most.", MoneyForm, _refund),
    "adjust": Move("Adjust the balance", "A correction, up or down.", AdjustmentForm, _adjust),
}


@transaction.atomic
def money_move(move: Move, *, accounts: Iterable[Account], amount_micro_usd: int, reference: str, reason: str) -> int:
    """The same for each of `accounts`, all or none; returns for how many it was new. Raises BillingError."""
    return sum(move.write(account, amount_micro_usd, reference, reason) for account in accounts)
