"""Reads usage by any cut: one account's, from the smallest sums that can answer, by the indexes that begin with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncMonth

from stats.models import DailyOriginUsage, DailyUsage, HourlyUsage, MinuteUsage
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome
from stats.periods import Grain, hour_of
from stats.queries import (
    OTHER,
    TOP_GROUPS,
    BusiestHour,
    Dimension,
    Group,
    Measure,
    UsageCell,
    UsageCut,
    UsageQuery,
    minute_of,
)
from stats.series import Totals

_ALLOWED = Q(outcome=OUTCOMES[Outcome.ALLOWED].number)

_CHUNK_ROWS = 2_000

# The column that tells the groups of a dimension apart.
_COLUMNS = {
    Dimension.KEY: "key_id",
    Dimension.TYPE: "key__type",
    Dimension.SERVICE: "service_id",
    Dimension.OUTCOME: "outcome",
    Dimension.ORIGIN: "origin",
    Dimension.COUNTRY: "country",
}
_MEASURES = {
    Measure.REQUESTS: Sum("n_requests"),
    Measure.UNITS: Sum("units"),
    Measure.COST: Sum("cost_micro_usd"),
    Measure.REFUSALS: Sum("n_requests", filter=~_ALLOWED, default=0),
}
_TOTALS = {
    "n": Sum("n_requests"),
    "allowed": Sum("n_requests", filter=_ALLOWED, default=0),
    "u": Sum("units"),
    "cost": Sum("cost_micro_usd"),
}


def usage_cut(query: UsageQuery) -> UsageCut:
    """What `query` asks for, in two queries where it groups (which groups are the largest; their sums), else in one.

    All sums come from one of them, so that they agree with each other whatever is added meanwhile.
    """
    sums = _sums(query)
    if query.group_by is None:
        cells = tuple(UsageCell(row["bucket"], None, _totals(row)) for row in sums.values("bucket").annotate(**_TOTALS))
        return UsageCut(cells, (None,) if cells else ())
    column = _COLUMNS[query.group_by]
    top = _largest(sums, column, query.measure)
    is_top = _is_among(column, top)
    rows = (
        sums.annotate(
            is_top=Case(When(is_top, then=Value(1)), default=Value(0)),
            group=Case(When(is_top, then=F(column)), default=None),
        )
        .values("bucket", "is_top", "group")
        .annotate(**_TOTALS)
    )
    cells = tuple(
        UsageCell(row["bucket"], _group(query.group_by, row["group"]) if row["is_top"] else OTHER, _totals(row))
        for row in rows
    )
    has_other = any(cell.group is OTHER for cell in cells)
    groups = [_group(query.group_by, value) for value in top]
    return UsageCut(cells, (*groups, *([OTHER] if has_other else [])))


def usage_totals(query: UsageQuery) -> dict[Group, Totals]:
    """What each group had in the whole period, every group by itself: in one query, without regard to the grain."""
    sums = _sums(query).order_by()
    if query.group_by is None:
        return {None: _totals({name: value or 0 for name, value in sums.aggregate(**_TOTALS).items()})}
    column = _COLUMNS[query.group_by]
    return {_group(query.group_by, row[column]): _totals(row) for row in sums.values(column).annotate(**_TOTALS)}


def usage_cells(query: UsageQuery) -> Iterator[UsageCell]:
    """The same with every group by itself, however many there are: in one query, a few at a time."""
    rows = _sums(query)
    if query.group_by is None:
        for row in rows.values("bucket").annotate(**_TOTALS).iterator(_CHUNK_ROWS):
            yield UsageCell(row["bucket"], None, _totals(row))
        return
    column = _COLUMNS[query.group_by]
    grouped = rows.values("bucket", column).annotate(**_TOTALS).order_by("bucket", column)
    for row in grouped.iterator(_CHUNK_ROWS):
        value = row[column]
        # Origins that share one row are no group of their own.
        is_shared = query.group_by is Dimension.ORIGIN and value is None
        yield UsageCell(row["bucket"], OTHER if is_shared else _group(query.group_by, value), _totals(row))


def busiest_hour(query: UsageQuery) -> BusiestHour | None:
    """The hour with the most requests of all that `query` touches; of several, the first.

    None where there are none, and where origins or countries are asked for, which no hour knows.
    """
    if query.needs_origins:
        return None
    start, end = hour_of(query.start, settings.BILLING_ZONE), query.end
    hourly = HourlyUsage.objects.filter(_held(query), hour_at__gte=start, hour_at__lt=end)
    by_hour = hourly.values_list("hour_at").annotate(n=Sum("n_requests")).order_by("-n", "hour_at")
    first = by_hour.first()
    return None if first is None else BusiestHour(*first)


def _sums(query: UsageQuery) -> QuerySet[Any]:
    """The sums that the filters let pass, in order of their `bucket`."""
    zone = settings.BILLING_ZONE
    held = _held(query)
    sums: QuerySet[Any]
    if query.grain is Grain.MINUTE:
        sums = MinuteUsage.objects.filter(held, minute_at__gte=minute_of(query.start), minute_at__lt=query.end)
        bucket: Any = F("minute_at")
    elif query.grain is Grain.HOUR:
        sums = HourlyUsage.objects.filter(held, hour_at__gte=hour_of(query.start, zone), hour_at__lt=query.end)
        bucket = F("hour_at")
    else:
        first, last = query.days(zone)
        model = DailyOriginUsage if query.needs_origins else DailyUsage
        sums = model._default_manager.filter(held, day_on__gte=first, day_on__lte=last)
        bucket = F("day_on") if query.grain is Grain.DAY else TruncMonth("day_on")
    return sums.annotate(bucket=bucket).order_by("bucket")


def _held(query: UsageQuery) -> Q:
    """The account and the filters."""
    numbers = [OUTCOMES[outcome].number for outcome in query.outcomes]
    held = Q(account=query.account_id)
    filters: list[tuple[Dimension, Collection[Any]]] = [
        (Dimension.KEY, query.keys),
        (Dimension.TYPE, query.types),
        (Dimension.SERVICE, query.services),
        (Dimension.OUTCOME, numbers),
        (Dimension.ORIGIN, query.origins),
        (Dimension.COUNTRY, query.countries),
    ]
    for dimension, values in filters:
        if values:
            held &= _is_among(_COLUMNS[dimension], values)
    return held


def _is_among(column: str, values: Collection[Any]) -> Q:
    """Whether the column has one of `values`, None among them or not."""
    among = Q(**{f"{column}__in": [value for value in values if value is not None]})
    return among | Q(**{f"{column}__isnull": True}) if None in values else among


def _largest(sums: QuerySet[Any], column: str, measure: Measure) -> list[Any]:
    """The values of the largest groups. Origins that share one row are no group of their own."""
    named = sums.exclude(origin=None) if column == _COLUMNS[Dimension.ORIGIN] else sums
    by_size = named.order_by().values_list(column).annotate(size=_MEASURES[measure]).order_by("-size", column)
    return [value for value, _ in by_size[:TOP_GROUPS]]


def _group(dimension: Dimension, value: Any) -> Group:
    group: Group = BY_NUMBER[value] if dimension is Dimension.OUTCOME else value
    return group


def _totals(row: dict[str, Any]) -> Totals:
    return Totals(row["n"], row["allowed"], row["u"], row["cost"])
