"""Reads prices, credit, ledger and statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import F, QuerySet, RowRange, Sum, Window

from accounts.models import Account, CreditEnd
from billing.credit import MonthMoney, allowance, carried_balance
from billing.models import Budget, LedgerEntry, Price, Statement
from billing.months import UsedInMonth, month_money, months_money, months_money_of
from billing.pricing import PriceOn, Tier, prices_on
from goongdash.lib.periods import Month, day_of
from keys.models import Service


@dataclass(frozen=True, slots=True)
class ServiceSpend:
    """What one service cost in a period."""

    service: Service
    n_requests: int
    units: int
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class CreditOverview:
    """An account's month: what it may spend, has spent and has left, all in micro-dollars."""

    month: Month
    credit_micro_usd: int
    balance_micro_usd: int
    allowance_micro_usd: int
    spent_micro_usd: int

    @property
    def left_micro_usd(self) -> int:
        return max(0, self.allowance_micro_usd - self.spent_micro_usd)

    @property
    def percent_spent(self) -> int:
        if self.allowance_micro_usd == 0:
            return 100
        return min(100, self.spent_micro_usd * 100 // self.allowance_micro_usd)


def current_prices(day: date) -> dict[int, int]:
    """Micro-dollars for the first unit of a month by service id on `day`."""
    return prices_on(day, price_book())


def price_book() -> list[PriceOn]:
    """All prices there are, past and to come, with their tiers."""
    return [
        PriceOn(
            price.service_id,
            price.effective_on,
            price.price_micro_usd,
            tuple(Tier(tier.from_units, tier.price_micro_usd) for tier in price.tiers.all()),
        )
        for price in Price.objects.order_by().prefetch_related("tiers")
    ]


def budget_of(account: Account) -> Budget | None:
    """What the account has set itself for a month; None: nothing but its credit and balance."""
    return Budget.objects.filter(account=account).first()


def price_list(day: date) -> list[Price]:
    """The price in force on `day` for each service with its tiers, in the services' order."""
    newest = (
        Price.objects.filter(effective_on__lte=day)
        .order_by("service_id", "-effective_on")
        .distinct("service_id")
        .select_related("service")
        .prefetch_related("tiers")
    )
    return sorted(newest, key=lambda price: price.service.position)


def allowance_of(account: Account, month: Month, months: dict[Month, MonthMoney] | None = None) -> int:
    """Micro-dollars that the usage of `month`'s own days may come to all in all."""
    months = months_money(account) if months is None else months
    return allowance(
        carried_micro_usd=carried_balance(money for m, money in months.items() if m < month),
        this_month=month_money(account, month, months),
        uses_balance=account.plan_on(month.first_day).credit_end == CreditEnd.BALANCE,
    )


def balance_of(account: Account, month: Month, months: dict[Month, MonthMoney] | None = None) -> int:
    """The account's own money at this moment of `month`, in micro-dollars: what a refund may come to at the most.

    Deposits, grants and adjustments, less what usage took beyond the free credit; negative where it owes.
    """
    months = months_money(account) if months is None else months
    this_month = month_money(account, month, months)
    earlier = carried_balance(money for m, money in months.items() if m < month)
    return earlier + this_month.money_micro_usd - this_month.paid_micro_usd


def credit_overview(account: Account, now: datetime, *, spent_micro_usd: int | None = None) -> CreditOverview:
    """The running month. `spent_micro_usd` is what its daily sums come to, where the caller has read them already."""
    month = Month.of(day_of(now, settings.BILLING_ZONE))
    known = [] if spent_micro_usd is None else [UsedInMonth(account.pk, month, spent_micro_usd)]
    months = months_money_of([account], known)[account.pk]
    this_month = month_money(account, month, months)
    total = allowance_of(account, month, months)
    return CreditOverview(
        month=month,
        credit_micro_usd=this_month.credit_micro_usd,
        balance_micro_usd=total - this_month.credit_micro_usd,
        allowance_micro_usd=total,
        spent_micro_usd=this_month.usage_micro_usd,
    )


def ledger_of(account: Account) -> QuerySet[LedgerEntry]:
    """The account's entries, newest first, each with `balance_micro_usd`: the sum of all up to it, itself included."""
    upwards = [F("period_on").asc(), F("usage_on").asc(nulls_first=True), F("id").asc()]
    entries = LedgerEntry.objects.filter(account=account).annotate(
        balance_micro_usd=Window(Sum("amount_micro_usd"), order_by=upwards, frame=RowRange(end=0))
    )
    return entries.order_by("-period_on", F("usage_on").desc(nulls_last=True), "-id")


def statements_of(account: Account) -> QuerySet[Statement]:
    return Statement.objects.filter(account=account).order_by("-period_on")
