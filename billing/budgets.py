"""Sets an account's own budget of a month. The gate enforces it; see `gate/count.lua`."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actors import current_actor
from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.changes import announce_account_change
from accounts.models import Account
from billing.alerts import thresholds_tell
from billing.errors import BudgetInvalid
from billing.models import Budget
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd


@transaction.atomic
def budget_set(*, account: Account, amount_micro_usd: int | None) -> bool:
    """From now on usage of a month stops at `amount_micro_usd`, in this one too; None: at credit and balance alone.

    Returns whether that changed anything. Raises BudgetInvalid for less than nothing. Gates follow within a second.
    """
    if amount_micro_usd is not None and amount_micro_usd < 0:
        raise BudgetInvalid(_("A budget is not less than nothing."))
    # Locked by the account: two who set it at once are recorded in the order in which it held.
    Account.objects.select_for_update().get(pk=account.pk)
    before = Budget.objects.filter(account=account).values_list("amount_micro_usd", flat=True).first()
    if before == amount_micro_usd:
        return False
    if amount_micro_usd is None:
        Budget.objects.filter(account=account).delete()
    else:
        fields = {"amount_micro_usd": amount_micro_usd, "set_by_id": current_actor().user_id, "set_at": utc_now()}
        Budget.objects.update_or_create(account=account, defaults=fields)
    audit(
        AuditAction.BUDGET_REMOVED if amount_micro_usd is None else AuditAction.BUDGET_SET,
        account=account,
        on=account,
        changes={"budget": (_text(before), _text(amount_micro_usd))},
    )
    announce_account_change(account.pk)
    # Where the month has used much of it already, that is told now, and not when more is used.
    thresholds_tell(account_ids=[account.pk], now=utc_now())
    return True


def _text(amount_micro_usd: int | None) -> str | None:
    return None if amount_micro_usd is None else format_usd(amount_micro_usd)
