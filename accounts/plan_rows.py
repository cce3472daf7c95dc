"""A plan in words, for the table that compares them; no limit at all is said in words too. Asks no database."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import CreditPeriod, Plan
from goongdash.lib.money import format_usd

UNLIMITED = "Unlimited"

_WINDOWS = {1: "a second", 60: "a minute", 3_600: "an hour"}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What one plan gives. `rate` is for each key and IP address, `requests_per_day` for each key."""

    name: str
    is_current: bool
    deposit: str
    requests_per_day: str
    requests_per_month: str
    map_loads_per_month: str
    rate: str
    credit: str


def plan_row(plan: Plan, *, is_current: bool = False) -> PlanRow:
    return PlanRow(
        name=plan.name,
        is_current=is_current,
        deposit="None" if plan.deposit_min_vnd is None else f"{plan.deposit_min_vnd:,} ₫ or more",
        requests_per_day=_limit(plan.requests_per_day),
        requests_per_month=_limit(plan.requests_per_month),
        map_loads_per_month=_limit(plan.map_loads_per_month),
        rate=f"{plan.rate_limit:,} {_WINDOWS.get(plan.rate_window_s, f'in {plan.rate_window_s:,} seconds')}",
        credit=_credit(plan),
    )


def _limit(number: int | None) -> str:
    return UNLIMITED if number is None else f"{number:,}"


def _credit(plan: Plan) -> str:
    if not plan.credit_micro_usd:
        return "None"
    amount = format_usd(plan.credit_micro_usd).removesuffix(".00")
    return f"{amount} once" if plan.credit_period == CreditPeriod.ONCE else f"{amount} a month"
