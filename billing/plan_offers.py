"""The plans as the billing page offers them. Asks no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import Account, Plan
from accounts.plan_rows import PlanRow, plan_row
from billing.models import PlanRequest


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """One plan, and how it stands to the account's own."""

    slug: str
    row: PlanRow
    is_current: bool
    is_next: bool
    is_requested: bool
    is_higher: bool


def plan_offers(account: Account, plans: Iterable[Plan], request: PlanRequest | None) -> list[PlanOffer]:
    return [
        PlanOffer(
            slug=plan.slug,
            row=plan_row(plan, is_current=plan.pk == account.plan_id),
            is_current=plan.pk == account.plan_id,
            is_next=plan.pk == account.next_plan_id,
            is_requested=request is not None and request.plan_id == plan.pk,
            is_higher=plan.position > account.plan.position,
        )
        for plan in plans
    ]
