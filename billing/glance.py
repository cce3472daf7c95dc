"""Reads what an operator wants to know of an account at once, beside its form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q, Sum

from accounts.models import Account
from billing.models import Budget, PlanRequest, Statement
from billing.plan_requests import open_request_of
from billing.selectors import CreditOverview, balance_of, budget_of, credit_overview, statements_of
from goongdash.lib.periods import day_of
from keys.models import ApiKey
from stats.models import DailyUsage
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome

REFUSAL_DAYS = 7
N_STATEMENTS = 6


@dataclass(frozen=True, slots=True)
class AccountGlance:
    """`refusals` are those of the last seven days, today among them: outcome in words and requests, most first."""

    credit: CreditOverview
    balance_micro_usd: int
    budget: Budget | None
    n_keys: int
    n_keys_active: int
    refusals: list[tuple[str, int]]
    statements: list[Statement]
    plan_request: PlanRequest | None

    @property
    def n_refused(self) -> int:
        return sum(n for _, n in self.refusals)


def account_glance(account: Account, now: datetime) -> AccountGlance:
    credit = credit_overview(account, now)
    keys = ApiKey.objects.filter(account=account).aggregate(
        n=Count("pk"), active=Count("pk", filter=Q(revoked_at=None, disabled_at=None))
    )
    return AccountGlance(
        credit=credit,
        balance_micro_usd=balance_of(account, credit.month),
        budget=budget_of(account),
        n_keys=keys["n"],
        n_keys_active=keys["active"],
        refusals=_refusals(account, now),
        statements=list(statements_of(account)[:N_STATEMENTS]),
        plan_request=open_request_of(account),
    )


def _refusals(account: Account, now: datetime) -> list[tuple[str, int]]:
    today = day_of(now, settings.BILLING_ZONE)
    rows = (
        DailyUsage.objects.filter(account=account, day_on__gt=today - timedelta(days=REFUSAL_DAYS), day_on__lte=today)
        .exclude(outcome=OUTCOMES[Outcome.ALLOWED].number)
        .values_list("outcome")
        .annotate(n=Sum("n_requests"))
        .order_by("-n", "outcome")
    )
    return [(OUTCOMES[BY_NUMBER[outcome]].label, n) for outcome, n in rows]
