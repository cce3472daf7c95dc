"""Lets the gate's own rules decide the requests: its limits in memory (gate/local_limits.py), of one process.

They follow the same rules as the counting script, so that every decision here is one that the script would have made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings

from accounts.models import Account, Plan
from billing.months import months_money_of
from billing.pricing import PriceOn, books_on, next_prices
from billing.selectors import allowance_of
from gate.local_limits import Asked, LocalLimits
from gate.snapshot import Credit, KeySnapshot, ServiceFacts, ServicePrice
from goongdash.lib.clock import to_epoch_us
from goongdash.lib.periods import Month, day_start
from keys.restrictions import Restrictions
from stats.events import UsageEvent
from stats.outcomes import BY_NUMBER, Outcome
from stats.request_ids import request_id_at


@dataclass(slots=True)
class Gate:
    """One gate process whose store is its memory."""

    services: dict[str, ServiceFacts]
    limits: LocalLimits = field(default_factory=lambda: LocalLimits(settings.BILLING_ZONE))
    keys: dict[int, KeySnapshot] = field(default_factory=dict)
    n_asked: int = 0

    def load(self, accounts: dict[int, Account], day: date, prices: list[PriceOn]) -> None:
        """Reads every account's plan, money and prices anew, as after an announcement."""
        month, books = Month.of(day), books_on(day, prices)
        coming = next_prices(day, prices)
        tiered = {service_id: _service_price(book, coming.get(service_id)) for service_id, book in books.items()}
        months = months_money_of(list(accounts.values()))
        for account in accounts.values():
            known = months[account.pk]
            credit = Credit(
                month.number,
                allowance_of(account, month, known),
                month.next.number,
                allowance_of(account, month.next, known),
            )
            self.keys[account.pk] = _snapshot(account, account.plan_on(day), credit, tiered)

    def ask(self, account: Account, service: str, at: datetime) -> UsageEvent:
        self.n_asked += 1
        facts = self.services[service]
        asked = Asked(self.keys[account.pk], facts, None, b"%d" % account.pk, b"")
        decided = self.limits.decide(asked, to_epoch_us(at))
        outcome = BY_NUMBER[decided.verdict.number]
        is_allowed = outcome is Outcome.ALLOWED
        return UsageEvent(
            at=at,
            account_id=account.pk,
            key_id=account.pk,
            service_id=facts.id,
            outcome=outcome,
            units=int(is_allowed),
            cost_micro_usd=decided.price_micro_usd if is_allowed else 0,
            ip="203.0.113.7",
            origin="",
            request_id=str(request_id_at(at, self.n_asked)),
        )


def _service_price(book: PriceOn, coming: PriceOn | None) -> ServicePrice:
    if coming is None:
        return ServicePrice(book.tiers)
    starts_at = day_start(coming.effective_on, settings.BILLING_ZONE)
    return ServicePrice(book.tiers, coming.tiers, to_epoch_us(starts_at))


def _snapshot(account: Account, plan: Plan, credit: Credit, tiered: dict[int, ServicePrice]) -> KeySnapshot:
    return KeySnapshot(
        key_id=account.pk,
        account_id=account.pk,
        type="rest",
        is_revoked=False,
        is_disabled=False,
        expires_at_us=None,
        restrictions=Restrictions(),
        rate_limit=plan.rate_limit,
        rate_window_s=plan.rate_window_s,
        requests_per_day=plan.requests_per_day,
        requests_per_month=plan.requests_per_month,
        map_loads_per_month=plan.map_loads_per_month,
        prices={},
        credit=credit,
        tiered=tiered,
    )
