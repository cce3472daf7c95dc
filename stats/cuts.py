"""Reads usage by any cut: one account's, from the smallest sums that can answer, by the indexes that begin with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, DateField, Expression, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce, TruncMonth

from keys.models import ApiKey
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
from stats.series import Totals, totals_added

_ALLOWED = OUTCOMES[Outcome.ALLOWED].number
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
_TOTALS = {
    "n": Sum("n_requests"),
    "allowed": Sum("n_requests", filter=Q(outcome=_ALLOWED), default=0),
    "u": Sum("units"),
    "cost": Sum("cost_micro_usd"),
}
# The sums that the filters let pass are read once. From them: which groups are the largest, what each of these and all
# others together had in each bucket, and what each outcome had of all, in rows without a bucket. Only what shares a row
# of origins has no value.
_CUT = """
    WITH held AS MATERIALIZED ({held}),
    largest AS (
        SELECT value, row_number() OVER (ORDER BY {size} DESC, value) AS place
        FROM {groups} WHERE value IS NOT NULL GROUP BY value ORDER BY place LIMIT {n_groups}
    )
    SELECT bucket, place, largest.value, outcome, sum(n)::bigint,
           coalesce(sum(n) FILTER (WHERE outcome = {allowed}), 0)::bigint, sum(u)::bigint, sum(cost)::bigint
    FROM {groups} LEFT JOIN largest USING (value)
    GROUP BY GROUPING SETS ((bucket, place, largest.value), (outcome)) ORDER BY bucket, place
"""
# Keys that took each other's place are one group, by the first of them.
_LINEAGES = """
    (SELECT bucket, outcome, coalesce(lineage_id, value) AS value, n, u, cost
     FROM held LEFT JOIN (
         SELECT id AS value, lineage_id FROM keys_apikey WHERE account_id = {account_id:d} AND lineage_id IS NOT NULL
     ) AS rotated USING (value)) AS lineages
"""
_SIZES = {
    Measure.REQUESTS: "sum(n)",
    Measure.UNITS: "sum(u)",
    Measure.COST: "sum(cost)",
    Measure.REFUSALS: f"coalesce(sum(n) FILTER (WHERE outcome <> {_ALLOWED}), 0)",
}
_SUMMED = {"n": "n_requests", "u": "units", "cost": "cost_micro_usd"}
# Of what has no service; in SQL null is equal to nothing.
_NO_SERVICE = 0


def usage_cut(query: UsageQuery) -> UsageCut:
    """What `query` asks for, in one query: all sums agree with each other, whatever is added meanwhile."""
    held, params = (
        _sums(query)
        .order_by()
        .values("bucket", "outcome", value=_value(query.group_by))
        .annotate(**{name: Cast(Sum(of), BigIntegerField()) for name, of in _SUMMED.items()})
        .query.sql_with_params()
    )
    groups = _LINEAGES.format(account_id=query.account_id) if query.group_by is Dimension.KEY else "held"
    size = _SIZES[query.measure]
    sql = _CUT.format(held=held, groups=groups, size=size, n_groups=TOP_GROUPS, allowed=_ALLOWED)
    cells: list[UsageCell] = []
    outcomes: dict[Outcome, Totals] = {}
    places: dict[int, Group] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        for bucket, place, value, outcome, *sums in cursor.fetchall():
            if bucket is None:
                outcomes[BY_NUMBER[outcome]] = Totals(*sums)
                continue
            group = OTHER if place is None else places.setdefault(place, _group(query.group_by, value))
            cells.append(UsageCell(bucket, group, Totals(*sums)))
    has_other = any(cell.group is OTHER for cell in cells)
    placed = [places[place] for place in sorted(places)]
    return UsageCut(tuple(cells), (*placed, *([OTHER] if has_other else [])), outcomes)


def usage_totals(query: UsageQuery) -> Totals:
    """What all groups had together in the whole period: in one query, without regard to the grain."""
    sums = _sums(replace(query, group_by=None)).order_by().aggregate(**_TOTALS)
    return _totals({name: value or 0 for name, value in sums.items()})


def usage_cells(query: UsageQuery) -> Iterator[UsageCell]:
    """The same with every group by itself, however many there are: a few rows at a time."""
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


def lineages_joined(cells: Iterable[UsageCell], account_id: int) -> Iterator[UsageCell]:
    """`cells` by key, with one cell for all keys that took each other's place: a bucket at a time."""
    rotated = ApiKey.objects.filter(account=account_id, lineage__isnull=False).order_by()
    lineages: dict[Any, int] = dict(rotated.values_list("pk", "lineage_id"))
    for bucket, cells_of_bucket in groupby(cells, key=attrgetter("bucket")):
        parts: defaultdict[Group, list[Totals]] = defaultdict(list)
        for cell in cells_of_bucket:
            parts[lineages.get(cell.group, cell.group)].append(cell.totals)
        for group, totals in parts.items():
            yield UsageCell(bucket, group, totals_added(totals))


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
        bucket = F("day_on") if query.grain is Grain.DAY else Cast(TruncMonth("day_on"), DateField())
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


def _value(dimension: Dimension | None) -> Expression | F:
    """What the groups of a dimension are told apart by; all are one group where there is none."""
    if dimension is None:
        return Value(0)
    if dimension is Dimension.SERVICE:
        return Coalesce("service_id", _NO_SERVICE)
    return F(_COLUMNS[dimension])


def _group(dimension: Dimension | None, value: Any) -> Group:
    if dimension is None or (dimension is Dimension.SERVICE and value == _NO_SERVICE):
        return None
    group: Group = BY_NUMBER[value] if dimension is Dimension.OUTCOME else value
    return group


def _totals(row: dict[str, Any]) -> Totals:
    return Totals(row["n"], row["allowed"], row["u"], row["cost"])
