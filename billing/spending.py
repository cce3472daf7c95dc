"""Reads and lays out what an account spends in the month that runs: by service and day, and where that leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Sum
from django.urls import reverse

from accounts.models import Account
from billing.forecast import BASIS_DAYS, Forecast, month_forecast
from billing.models import Budget
from billing.selectors import CreditOverview, ServiceSpend
from goongdash.lib.periods import Month, day_of, days
from keys.models import Service
from stats.cut_charts import CutChart, GroupName, cut_chart, cut_series, with_credit_line
from stats.models import DailyUsage
from stats.queries import Group, Measure, UsageCell, UsageCut
from stats.selectors import service_facts
from stats.series import Totals


@dataclass(frozen=True, slots=True)
class MonthSpending:
    """The month's services, its chart, and its forecast; None where nothing was spent, or not long enough ago."""

    services: list[ServiceSpend]
    chart: CutChart | None
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class BudgetOverview:
    """An account's own budget beside what the month has spent of it, in micro-dollars."""

    amount_micro_usd: int
    spent_micro_usd: int

    @property
    def percent_spent(self) -> int:
        return min(100, self.spent_micro_usd * 100 // self.amount_micro_usd) if self.amount_micro_usd else 100

    @property
    def left_micro_usd(self) -> int:
        return max(0, self.amount_micro_usd - self.spent_micro_usd)


def budget_overview(budget: Budget | None, spent_micro_usd: int) -> BudgetOverview | None:
    return None if budget is None else BudgetOverview(budget.amount_micro_usd, spent_micro_usd)


def month_cells(account: Account, now: datetime) -> list[UsageCell]:
    """The account's sums by day and service of the month that runs and of the week before today. One query."""
    today = day_of(now, settings.BILLING_ZONE)
    month = Month.of(today)
    since = min(month.first_day, today - timedelta(days=BASIS_DAYS))
    rows = (
        DailyUsage.objects.filter(account=account, day_on__gte=since, day_on__lte=month.last_day)
        .values("day_on", "service_id")
        .annotate(n=Sum("n_requests"), u=Sum("units"), cost=Sum("cost_micro_usd"))
        .order_by("day_on", "service_id")
    )
    return [
        UsageCell(row["day_on"], row["service_id"], Totals(row["n"], row["n"], row["u"], row["cost"])) for row in rows
    ]


def spent_of(cells: Iterable[UsageCell], month: Month) -> int:
    """Micro-dollars that the cells have of `month`."""
    return sum(cell.totals.cost_micro_usd for cell in cells if Month.of(_day(cell)) == month)


def month_spending(cells: Sequence[UsageCell], credit: CreditOverview, now: datetime) -> MonthSpending:
    """Lays out the `month_cells`; what was of no service costs nothing and is left out."""
    today = day_of(now, settings.BILLING_ZONE)
    of_services = [cell for cell in cells if cell.group is not None]
    of_month = [cell for cell in of_services if _day(cell) >= credit.month.first_day]
    services = list(Service.objects.all())
    return MonthSpending(
        services=_by_service(of_month, services),
        chart=_chart(of_month, services, credit, today),
        forecast=month_forecast(spent_by_day=_by_day(of_services), today=today),
    )


def _by_service(cells: Sequence[UsageCell], services: Sequence[Service]) -> list[ServiceSpend]:
    used: dict[Group, list[Totals]] = {}
    for cell in cells:
        used.setdefault(cell.group, []).append(cell.totals)
    return [
        ServiceSpend(
            service,
            sum(totals.n_requests for totals in used[service.pk]),
            sum(totals.units for totals in used[service.pk]),
            sum(totals.cost_micro_usd for totals in used[service.pk]),
        )
        for service in sorted(services, key=lambda service: service.position)
        if service.pk in used
    ]


def _chart(
    cells: Sequence[UsageCell], services: Sequence[Service], credit: CreditOverview, today: date
) -> CutChart | None:
    """Every day of the month; None where nothing was spent."""
    costing = tuple(cell for cell in cells if cell.totals.cost_micro_usd)
    if not costing:
        return None
    of_month = list(days(credit.month.first_day, credit.month.last_day))
    facts = service_facts(services)
    groups: tuple[Group, ...] = tuple(dict.fromkeys(cell.group for cell in costing))
    names: dict[Group, GroupName] = {
        pk: GroupName(each.label, each.swatch, each.slug) for pk, each in facts.items() if pk in groups
    }
    series = cut_series(
        UsageCut(costing, groups),
        buckets=of_month,
        measure=Measure.COST,
        names=names,
        parts_label="",
        href_of=lambda name: _statistics(f"period=this-month&service={name.text}"),
    )
    chart = cut_chart(
        sorted(series, key=lambda each: -each.total),
        buckets=of_month,
        measure=Measure.COST,
        is_lines=False,
        zone=settings.BILLING_ZONE,
        hrefs=[""] * len(of_month),
        unfinished=(today - of_month[0]).days,
    )
    free, spent = credit.credit_micro_usd, _by_day(costing)
    if not free:
        return chart
    return with_credit_line(chart, days=of_month, spent_by_day=spent, credit_micro_usd=free, today=today)


def _statistics(query: str) -> str:
    return f"{reverse('stats:statistics')}?measure=cost&{query}"


def _by_day(cells: Sequence[UsageCell]) -> dict[date, int]:
    spent: dict[date, int] = {}
    for cell in cells:
        spent[_day(cell)] = spent.get(_day(cell), 0) + cell.totals.cost_micro_usd
    return spent


def _day(cell: UsageCell) -> date:
    day: date = cell.bucket
    return day
