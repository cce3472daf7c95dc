"""Reads revenue and usage of all accounts together, by month, for operators: sums of the rollups and of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.conf import settings
from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from accounts.models import Account
from billing.models import EntryKind, LedgerEntry, Statement
from goongdash.lib.periods import Month, day_of
from keys.models import Service
from stats.cut_charts import CutChart, GroupName, cut_chart, cut_series
from stats.models import DailyUsage
from stats.queries import Group, Measure, UsageCell, UsageCut
from stats.selectors import service_facts
from stats.series import Totals

N_MONTHS = 12
N_LARGEST = 10


@dataclass(frozen=True, slots=True)
class MonthRevenue:
    """A month of all accounts, in micro-dollars. `net` is what closed statements come to beyond free credit."""

    month_on: date
    n_accounts: int
    n_requests: int
    used_micro_usd: int
    net_micro_usd: int
    deposits_micro_usd: int
    refunds_micro_usd: int
    grants_micro_usd: int


@dataclass(frozen=True, slots=True)
class RevenueOverview:
    """The last twelve months, the newest first; the chart of their usage by service; who used most this month."""

    months: list[MonthRevenue]
    chart: CutChart
    largest: list[tuple[Account, int]]


def revenue_overview(now: datetime) -> RevenueOverview:
    """In a handful of queries over twelve months of daily sums."""
    this_month = Month.of(day_of(now, settings.BILLING_ZONE))
    months = [this_month]
    while len(months) < N_MONTHS:
        months.append(months[-1].previous)
    firsts = [month.first_day for month in reversed(months)]
    cells = _cells(firsts[0])
    return RevenueOverview(
        months=_by_month(firsts, cells)[::-1], chart=_chart(firsts, cells), largest=_largest(this_month)
    )


def _cells(since: date) -> list[UsageCell]:
    rows = (
        DailyUsage.objects.filter(day_on__gte=since)
        .exclude(service=None)
        .annotate(month_on=TruncMonth("day_on"))
        .values("month_on", "service_id")
        .annotate(n=Sum("n_requests"), u=Sum("units"), cost=Sum("cost_micro_usd"))
        .order_by("month_on", "service_id")
    )
    return [
        UsageCell(row["month_on"], row["service_id"], Totals(row["n"], row["n"], row["u"], row["cost"])) for row in rows
    ]


def _by_month(firsts: Sequence[date], cells: Sequence[UsageCell]) -> list[MonthRevenue]:
    ledger = {
        (period_on, kind): amount
        for period_on, kind, amount in LedgerEntry.objects.filter(period_on__gte=firsts[0])
        .order_by()
        .values_list("period_on", "kind")
        .annotate(Sum("amount_micro_usd"))
    }
    statements = Statement.objects.filter(period_on__gte=firsts[0]).order_by().values_list("period_on")
    nets = dict(statements.annotate(Sum("net_micro_usd")))
    active = dict(
        DailyUsage.objects.filter(day_on__gte=firsts[0], cost_micro_usd__gt=0)
        .annotate(month_on=TruncMonth("day_on"))
        .order_by()
        .values_list("month_on")
        .annotate(Count("account", distinct=True))
    )
    return [
        MonthRevenue(
            month_on=first,
            n_accounts=active.get(first, 0),
            n_requests=sum(cell.totals.n_requests for cell in cells if cell.bucket == first),
            used_micro_usd=sum(cell.totals.cost_micro_usd for cell in cells if cell.bucket == first),
            net_micro_usd=nets.get(first, 0),
            deposits_micro_usd=ledger.get((first, EntryKind.DEPOSIT), 0),
            refunds_micro_usd=ledger.get((first, EntryKind.REFUND), 0),
            grants_micro_usd=ledger.get((first, EntryKind.GRANT), 0),
        )
        for first in firsts
    ]


def _chart(firsts: Sequence[date], cells: Sequence[UsageCell]) -> CutChart:
    costing = tuple(cell for cell in cells if cell.totals.cost_micro_usd)
    groups: tuple[Group, ...] = tuple(dict.fromkeys(cell.group for cell in costing))
    facts = service_facts(Service.objects.all())
    names: dict[Group, GroupName] = {
        pk: GroupName(each.label, each.swatch, each.slug) for pk, each in facts.items() if pk in groups
    }
    series = cut_series(
        UsageCut(costing, groups),
        buckets=firsts,
        measure=Measure.COST,
        names=names,
        parts_label="",
        href_of=lambda name: "",
    )
    chart = cut_chart(
        sorted(series, key=lambda each: -each.total),
        buckets=firsts,
        measure=Measure.COST,
        is_lines=False,
        zone=settings.BILLING_ZONE,
        hrefs=[""] * len(firsts),
        unfinished=len(firsts) - 1,
    )
    return replace(chart, labels=[f"{first:%b %Y}" for first in firsts], titles=[f"{first:%B %Y}" for first in firsts])


def _largest(month: Month) -> list[tuple[Account, int]]:
    rows = (
        DailyUsage.objects.filter(day_on__gte=month.first_day, day_on__lte=month.last_day)
        .order_by()
        .values_list("account_id")
        .annotate(cost=Sum("cost_micro_usd"))
        .filter(cost__gt=0)
        .order_by("-cost")[:N_LARGEST]
    )
    accounts = Account.objects.select_related("plan").in_bulk([account_id for account_id, _ in rows])
    return [(accounts[account_id], cost) for account_id, cost in rows if account_id in accounts]
