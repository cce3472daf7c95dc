"""Reads prices, credit, ledger and statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Case, F, QuerySet, Sum, Value, When
from django.db.models.functions import TruncMonth

from accounts.models import Account, CreditPeriod
from billing.credit import MonthMoney, allowance, carried_balance
from billing.ledger import USAGE_KINDS
from billing.models import EntryKind, LedgerEntry, Price, Statement
from billing.pricing import PriceOn, prices_on
from goongdash.lib.periods import Month, day_of
from keys.models import Service
from stats.models import DailyUsage


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
    """Micro-dollars per unit by service id on `day`."""
    return prices_on(
        day,
        (
            PriceOn(price.service_id, price.effective_on, price.price_micro_usd)
            for price in Price.objects.filter(effective_on__lte=day)
        ),
    )


def price_list(day: date) -> list[Price]:
    """The price in force on `day` for each service, in the services' order."""
    newest = (
        Price.objects.filter(effective_on__lte=day)
        .order_by("service_id", "-effective_on")
        .distinct("service_id")
        .select_related("service")
    )
    return sorted(newest, key=lambda price: price.service.position)


def months_money(account: Account) -> dict[Month, MonthMoney]:
    """Credit, lasting money and usage of every month in which the account has any."""
    sums: dict[Month, dict[str, int]] = {}
    usage = (
        DailyUsage.objects.filter(account=account)
        .annotate(month_on=TruncMonth("day_on"))
        .values_list("month_on")
        .annotate(Sum("cost_micro_usd"))
        .order_by("month_on")
    )
    for month_on, cost in usage:
        sums.setdefault(Month.of(month_on), {})["usage_micro_usd"] = cost
    entries = (
        LedgerEntry.objects.filter(account=account)
        .exclude(kind__in=(*USAGE_KINDS, EntryKind.EXPIRED_CREDIT))
        .annotate(
            field=Case(
                When(kind=EntryKind.MONTHLY_CREDIT, then=Value("credit_micro_usd")),
                default=Value("money_micro_usd"),
            )
        )
        .values_list("period_on", "field")
        .annotate(Sum("amount_micro_usd"))
        .order_by("period_on")
    )
    for period_on, field, amount in entries:
        sums.setdefault(Month.of(period_on), {})[field] = amount
    return {month: MonthMoney(**fields) for month, fields in sums.items()}


def allowance_of(account: Account, month: Month, months: dict[Month, MonthMoney] | None = None) -> int:
    """Micro-dollars that the account may spend in `month` all in all.

    The month's credit counts from its first instant, before the grant has been written.
    """
    months = months_money(account) if months is None else months
    return allowance(
        carried_micro_usd=carried_balance(money for m, money in months.items() if m < month),
        this_month=_with_credit_due(account, months.get(month, MonthMoney())),
    )


def credit_overview(account: Account, now: datetime) -> CreditOverview:
    month = Month.of(day_of(now, settings.BILLING_ZONE))
    months = months_money(account)
    this_month = _with_credit_due(account, months.get(month, MonthMoney()))
    total = allowance_of(account, month, months)
    return CreditOverview(
        month=month,
        credit_micro_usd=this_month.credit_micro_usd,
        balance_micro_usd=total - this_month.credit_micro_usd,
        allowance_micro_usd=total,
        spent_micro_usd=this_month.usage_micro_usd,
    )


def spend_by_service(account: Account, month: Month) -> list[ServiceSpend]:
    """What each service used in `month` cost, in the services' order."""
    rows = (
        DailyUsage.objects.filter(account=account, day_on__gte=month.first_day, day_on__lt=month.next.first_day)
        .exclude(service=None)
        .values("service_id")
        .annotate(n=Sum("n_requests"), u=Sum("units"), cost=Sum("cost_micro_usd"))
        .order_by("service_id")
    )
    services = Service.objects.in_bulk([row["service_id"] for row in rows])
    spends = [ServiceSpend(services[row["service_id"]], row["n"], row["u"], row["cost"]) for row in rows]
    return sorted(spends, key=lambda spend: spend.service.position)


def ledger_of(account: Account) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(account=account).order_by(
        "-period_on", F("usage_on").desc(nulls_last=True), "-id"
    )


def statements_of(account: Account) -> QuerySet[Statement]:
    return Statement.objects.filter(account=account).order_by("-period_on")


def _with_credit_due(account: Account, money: MonthMoney) -> MonthMoney:
    is_due = money.credit_micro_usd == 0 and account.plan.credit_period == CreditPeriod.MONTHLY
    if not is_due:
        return money
    return MonthMoney(account.plan.credit_micro_usd, money.money_micro_usd, money.usage_micro_usd)
