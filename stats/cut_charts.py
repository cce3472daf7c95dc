"""Shapes usage for a chart, its legend and the table that says the same. Pure.

Money stays whole micro-dollars; the page's script divides for the eye only.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from stats.charts import PARTS_SWATCH, bucket_labels, bucket_title
from stats.queries import OTHER, Group, Measure, UsageCell, UsageCut
from stats.series import Bucket, Totals


@dataclass(frozen=True, slots=True)
class GroupName:
    """How pages call a group. `is_part`: it belongs to map loads and is free; all such groups are one series."""

    label: str
    swatch: str
    text: str = ""
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class CutSeries:
    """One colour of the chart. `href` leads to this group alone; `is_off`: not drawn until the user asks for it."""

    key: str
    label: str
    swatch: str
    values: list[int]
    href: str = ""
    is_off: bool = False

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class CutChart:
    """Bars or lines over buckets. `hrefs` lead into each bucket, where that can be cut finer.

    `unfinished` is the index of the bucket that is still under way. `credit_left` is what was left of the month's
    free credit when each bucket ended, in micro-dollars; None where it is not shown or not known.
    """

    measure: Measure
    is_lines: bool
    labels: list[str]
    titles: list[str]
    series: list[CutSeries]
    hrefs: list[str]
    unfinished: int | None = None
    credit_left: list[int | None] | None = None

    @property
    def is_money(self) -> bool:
        return self.measure is Measure.COST

    @property
    def as_json(self) -> str:
        """What the page's script draws."""
        series = [
            {"key": s.key, "label": s.label, "swatch": s.swatch, "values": s.values, "off": s.is_off, "href": s.href}
            for s in self.series
        ]
        return json.dumps(
            {
                "labels": self.labels,
                "titles": self.titles,
                "hrefs": self.hrefs,
                "series": series,
                "money": self.is_money,
                "lines": self.is_lines,
                "unfinished": self.unfinished,
                "creditLeft": self.credit_left,
            },
            ensure_ascii=False,
        )

    @property
    def table(self) -> list[tuple[str, str, list[int]]]:
        """The same numbers as rows: a bucket's title, where it leads, its value in each series, and last their sum."""
        columns = [series.values for series in self.series]
        rows: list[list[int]] = [[column[n] for column in columns] for n in range(len(self.titles))]
        return [
            (title, href, [*values, sum(values)])
            for title, href, values in zip(self.titles, self.hrefs, rows, strict=True)
        ]

    @property
    def total(self) -> int:
        return sum(series.total for series in self.series)


def measured(totals: Totals, measure: Measure) -> int:
    """What `measure` looks at."""
    return {
        Measure.REQUESTS: totals.n_requests,
        Measure.UNITS: totals.units,
        Measure.COST: totals.cost_micro_usd,
        Measure.REFUSALS: totals.n_refused,
    }[measure]


def cut_series(
    cut: UsageCut,
    *,
    buckets: Sequence[Bucket],
    measure: Measure,
    names: Mapping[Group, GroupName],
    parts_label: str,
    href_of: Callable[[GroupName], str],
) -> list[CutSeries]:
    """A series for each group, the largest first, with a value for every bucket: 0 where nothing happened.

    Groups of which nothing is measured are left out, unless that holds for all.
    """
    values: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(buckets))
    index = {bucket: n for n, bucket in enumerate(buckets)}
    for cell in cut.cells:
        values[_series_key(cell, names)][index[cell.bucket]] += measured(cell.totals, measure)
    series = []
    for group in cut.groups:
        name = names[group]
        if name.is_part or not (any(values[_key(group, name)]) or len(cut.groups) == 1):
            continue
        key, href = _key(group, name), "" if group is OTHER else href_of(name)
        series.append(CutSeries(key, name.label, name.swatch, values[key], href))
    if any(values.get(_PARTS, ())):
        series.append(CutSeries(_PARTS, parts_label, PARTS_SWATCH, values[_PARTS], is_off=bool(series)))
    return series


def cut_chart(
    series: list[CutSeries],
    *,
    buckets: Sequence[date] | Sequence[datetime],
    measure: Measure,
    is_lines: bool,
    zone: ZoneInfo,
    hrefs: list[str],
    unfinished: int | None,
) -> CutChart:
    return CutChart(
        measure=measure,
        is_lines=is_lines,
        labels=bucket_labels(buckets, zone),
        titles=[bucket_title(bucket, zone) for bucket in buckets],
        series=series,
        hrefs=hrefs,
        unfinished=unfinished,
    )


def with_credit_line(
    chart: CutChart,
    *,
    days: Sequence[date],
    spent_by_day: Mapping[date, int],
    credit_micro_usd: int,
    today: date,
) -> CutChart:
    """The chart of `days` with what each day left of its month's free credit; nothing for days to come."""
    left: list[int | None] = []
    spent: defaultdict[tuple[int, int], int] = defaultdict(int)
    for day in sorted(spent_by_day):
        if days and day < days[0]:
            spent[day.year, day.month] += spent_by_day[day]
    for day in days:
        spent[day.year, day.month] += spent_by_day.get(day, 0)
        left.append(None if day > today else max(0, credit_micro_usd - spent[day.year, day.month]))
    return replace(chart, credit_left=left)


_PARTS = "map-parts"


def _key(group: Group, name: GroupName) -> str:
    return "other" if group is OTHER else f"g-{name.text}"


def _series_key(cell: UsageCell, names: Mapping[Group, GroupName]) -> str:
    name = names[cell.group]
    return _PARTS if name.is_part else _key(cell.group, name)
