"""Writes money that comes and goes by hand or by payment: deposits, refunds, adjustments. Each of them once.

What makes two of them the same is their `source`: a payment's id, an operator's reference. It holds whatever the
month, so that a payment told again in the next one is still the same.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.figures import usd
from accounts.models import Account
from billing.errors import NothingToMove, RefundTooHigh
from billing.ledger import entry_post
from billing.models import EntryKind, LedgerEntry
from billing.selectors import balance_of
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd
from goongdash.lib.periods import Month, day_of


@transaction.atomic
def deposit_record(*, account: Account, amount_micro_usd: int, source: str, note: str = "") -> bool:
    """Adds money that was received; returns whether it was new. Raises NothingToMove."""
    if amount_micro_usd <= 0:
        raise NothingToMove(_("A deposit is more than %(amount)s.") % {"amount": usd(0)})
    return _move(account, EntryKind.DEPOSIT, amount_micro_usd, source, note, AuditAction.MONEY_DEPOSITED)


@transaction.atomic
def refund_record(
    *, account: Account, amount_micro_usd: int, source: str, note: str = "", is_made: bool = False
) -> bool:
    """Takes off money that was given back; returns whether it was new.

    Raises NothingToMove, and RefundTooHigh for more than the account's own money, unless the refund `is_made`
    already, elsewhere: then it is written whatever it leaves.
    """
    if amount_micro_usd <= 0:
        raise NothingToMove(_("A refund is more than %(amount)s.") % {"amount": usd(0)})
    account = _locked(account)
    if _is_there(account, EntryKind.REFUND, source):
        return False
    balance = balance_of(account, _open_month())
    if amount_micro_usd > balance and not is_made:
        words = _("The account’s own money is %(amount)s; no more can be refunded.")
        raise RefundTooHigh(words % {"amount": usd(max(0, balance))})
    return _move(account, EntryKind.REFUND, -amount_micro_usd, source, note, AuditAction.MONEY_REFUNDED)


@transaction.atomic
def adjustment_post(*, account: Account, amount_micro_usd: int, source: str, reason: str) -> bool:
    """Corrects the balance, up (+) or down (-), for a reason; returns whether it was new. Raises NothingToMove."""
    if amount_micro_usd == 0 or not reason.strip():
        words = _("An adjustment needs an amount other than %(amount)s, and a reason.")
        raise NothingToMove(words % {"amount": usd(0)})
    return _move(account, EntryKind.ADJUSTMENT, amount_micro_usd, source, reason, AuditAction.MONEY_ADJUSTED)


def _move(account: Account, kind: EntryKind, amount: int, source: str, note: str, action: AuditAction) -> bool:
    account = _locked(account)
    if _is_there(account, kind, source):
        return False
    entry_post(account=account, month=_open_month(), kind=kind, amount_micro_usd=amount, source=source, note=note)
    changes = {"amount": (None, format_usd(amount)), "reference": (None, source), "note": (None, note or None)}
    audit(action, account=account, on=account, changes=changes)
    return True


def _locked(account: Account) -> Account:
    """The account, whose money nobody else moves until the transaction ends."""
    locked = Account.objects.select_for_update(of=("self",)).select_related("plan", "next_plan")
    return locked.get(pk=account.pk)


def _is_there(account: Account, kind: EntryKind, source: str) -> bool:
    return LedgerEntry.objects.filter(account=account, kind=kind, source=source).exists()


def _open_month() -> Month:
    return Month.of(day_of(utc_now(), settings.BILLING_ZONE))
