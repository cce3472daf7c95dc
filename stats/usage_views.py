"""What a statistics page is asked to show, and how that stands in a URL: the whole state of the page. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from stats.outcomes import Outcome
from stats.periods import Grain, Period
from stats.queries import Dimension, Group, Measure, UsageQuery
from stats.spans import Span, SpanName, by_day

# How a URL calls what has no name: a path of no service, a request that named no origin, an unknown country.
NONE = "-"


class ChartKind(StrEnum):
    BARS = "bars"
    LINES = "lines"


DEFAULT_SPAN = SpanName.WEEK
DEFAULT_BY = Dimension.SERVICE
DEFAULT_MEASURE = Measure.REQUESTS
DEFAULT_KIND = ChartKind.BARS
# From the general to the particular: what a drill-in tells apart next.
_NEXT = {
    Dimension.TYPE: Dimension.KEY,
    Dimension.KEY: Dimension.SERVICE,
    Dimension.SERVICE: Dimension.KEY,
    Dimension.OUTCOME: Dimension.KEY,
    Dimension.ORIGIN: Dimension.KEY,
    Dimension.COUNTRY: Dimension.ORIGIN,
}


@dataclass(frozen=True, slots=True)
class UsageView:
    """`filters` are texts as they stand in the URL, by dimension; `grain` None is the usual one of the span.

    `kin` are the ids of the keys that took the place of those it is held to, or gave them theirs.
    """

    name: SpanName
    span: Span
    grain: Grain | None = None
    by: Dimension = DEFAULT_BY
    measure: Measure = DEFAULT_MEASURE
    kind: ChartKind = DEFAULT_KIND
    filters: dict[Dimension, tuple[str, ...]] = field(default_factory=dict)
    kin: frozenset[int] = frozenset()

    @property
    def needs_days(self) -> bool:
        """Whether it asks for what is known by the day only."""
        by_origin = {Dimension.ORIGIN, Dimension.COUNTRY}
        return self.by in by_origin or any(self.filters.get(dimension) for dimension in by_origin)

    def shown(self, zone: ZoneInfo) -> Span:
        """The span, of whole days where it must be."""
        return by_day(self.span, zone) if self.needs_days else self.span

    def grain_shown(self, zone: ZoneInfo) -> Grain:
        grains = self.shown(zone).grains
        return self.grain if self.grain in grains else grains[0]

    def query(self, account_id: int, service_ids: dict[str, int], zone: ZoneInfo) -> UsageQuery:
        """What to read for it. `service_ids` are by slug."""
        span = self.shown(zone)
        return UsageQuery(
            account_id=account_id,
            start=span.start,
            end=span.end,
            grain=self.grain_shown(zone),
            group_by=self.by,
            measure=self.measure,
            keys=self.kin.union(int(text) for text in self.filters.get(Dimension.KEY, ())),
            types=frozenset(self.filters.get(Dimension.TYPE, ())),
            services=frozenset(service_ids.get(text) for text in self.filters.get(Dimension.SERVICE, ())),
            outcomes=frozenset(Outcome(text) for text in self.filters.get(Dimension.OUTCOME, ())),
            origins=frozenset(map(_unnamed, self.filters.get(Dimension.ORIGIN, ()))),
            countries=frozenset(map(_unnamed, self.filters.get(Dimension.COUNTRY, ()))),
        )

    def params(self) -> list[tuple[str, str]]:
        """What a URL must say to show this again; what is usual goes without saying."""
        is_custom = self.name is SpanName.CUSTOM
        said = _days_said(self.span.days) if is_custom else [("period", str(self.name))]
        if self.grain is not None and self.grain is not self.span.grains[0]:
            said.append(("grain", self.grain))
        return said + self._cut_said()

    @property
    def url_query(self) -> str:
        return urlencode(self.params())

    def url_queries_of(self, periods: Iterable[Period]) -> list[str]:
        """The URLs' queries of the same cut, of other days, in their usual grain."""
        cut = urlencode(self._cut_said())
        rest = f"&{cut}" if cut else ""
        return [f"from={days.first}&to={days.last}{rest}" for days in periods]

    def _cut_said(self) -> list[tuple[str, str]]:
        """All but the time."""
        choices = (
            ("by", self.by, DEFAULT_BY),
            ("measure", self.measure, DEFAULT_MEASURE),
            ("chart", self.kind, DEFAULT_KIND),
        )
        said = [(name, str(value)) for name, value, usual in choices if value != usual]
        return said + [(dimension, text) for dimension in Dimension for text in self.filters.get(dimension, ())]

    def drilled(self, text: str) -> UsageView:
        """The same, held to one group of what is told apart now, and telling apart what is next."""
        nxt = _NEXT[self.by]
        if len(self.filters.get(nxt, ())) == 1:
            nxt = next((d for d in Dimension if len(self.filters.get(d, ())) != 1 and d is not self.by), nxt)
        return replace(self, by=nxt, filters={**self.filters, self.by: (text,)})

    def without(self, dimension: Dimension, text: str) -> UsageView:
        """The same, with one filter less."""
        left = tuple(each for each in self.filters.get(dimension, ()) if each != text)
        return replace(self, filters={**self.filters, dimension: left})


def group_text(dimension: Dimension, group: Group, slugs: dict[int, str]) -> str:
    """How a URL names a group; `slugs` are the services' by id."""
    if dimension is Dimension.SERVICE and isinstance(group, int):
        return slugs.get(group, str(group))
    return NONE if group is None or group == "" else str(group)


def filters_of(pairs: Iterable[tuple[Dimension, Iterable[str]]]) -> dict[Dimension, tuple[str, ...]]:
    """Filters without what lets everything pass, each value once."""
    return {dimension: tuple(dict.fromkeys(texts)) for dimension, texts in pairs if texts}


def _unnamed(text: str) -> str:
    return "" if text == NONE else text


def _days_said(days: Period) -> list[tuple[str, str]]:
    return [("from", days.first.isoformat()), ("to", days.last.isoformat())]
