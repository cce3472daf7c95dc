"""A plan in words, for the table that compares them; no limit at all is said in words too. Asks no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.figures import number, usd, vnd
from accounts.models import CreditPeriod, Plan
from goongdash.lib.money import MICRO_PER_USD

# Written and compared in the language of whoever reads.
UNLIMITED = cast("str", gettext_lazy("Unlimited"))

_RATES = {
    1: gettext_lazy("%(number)s a second"),
    60: gettext_lazy("%(number)s a minute"),
    3_600: gettext_lazy("%(number)s an hour"),
}


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
        deposit=_deposit(plan),
        requests_per_day=_limit(plan.requests_per_day),
        requests_per_month=_limit(plan.requests_per_month),
        map_loads_per_month=_limit(plan.map_loads_per_month),
        rate=_rate(plan),
        credit=_credit(plan),
    )


def _deposit(plan: Plan) -> str:
    if plan.deposit_min_vnd is None:
        return pgettext("deposit", "None")
    return _("%(amount)s or more") % {"amount": vnd(plan.deposit_min_vnd)}


def _limit(limit: int | None) -> str:
    return str(UNLIMITED) if limit is None else number(limit)


def _rate(plan: Plan) -> str:
    words = _RATES.get(plan.rate_window_s) or _("%(number)s in %(seconds)s seconds")
    return str(words) % {"number": number(plan.rate_limit), "seconds": number(plan.rate_window_s)}


def _credit(plan: Plan) -> str:
    if not plan.credit_micro_usd:
        return pgettext("credit", "None")
    is_whole = not plan.credit_micro_usd % MICRO_PER_USD
    words = _("%(amount)s once") if plan.credit_period == CreditPeriod.ONCE else _("%(amount)s a month")
    return words % {"amount": usd(plan.credit_micro_usd, min_decimals=0 if is_whole else 2)}
