"""What a statistics page says of a period: totals, outcomes, services and the chart, all from the same rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from stats.charts import UNKNOWN, UNKNOWN_SWATCH, Chart, ServiceFacts, usage_chart
from stats.outcomes import OUTCOMES, Outcome
from stats.series import Totals, UsageRow, percent, totals_by, totals_of


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """How many requests had an outcome. `code` is what the caller was told, empty for an allowed request."""

    label: str
    code: str
    status: int
    tone: str
    n_requests: int
    percent: float


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """What one service of one API version had."""

    name: str
    version: str
    swatch: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class UsageReport:
    """`n_parts` of the requests asked for parts of map loads, which are free."""

    totals: Totals
    n_parts: int
    outcomes: list[OutcomeLine]
    services: list[ServiceLine]
    chart: Chart


def usage_report(
    rows: Sequence[UsageRow],
    *,
    buckets: Sequence[date] | Sequence[datetime],
    services: Mapping[int, ServiceFacts],
    zone: ZoneInfo,
) -> UsageReport:
    """The report of `rows`, all of which lie in `buckets`. Its every part adds up to its totals."""
    totals = totals_of(rows)
    return UsageReport(
        totals=totals,
        n_parts=sum(row.n_requests for row in rows if (s := services.get(row.service_id or 0)) and s.is_part),
        outcomes=_outcome_lines(rows, totals.n_requests),
        services=_service_lines(rows, services),
        chart=usage_chart(rows, buckets=buckets, services=services, zone=zone),
    )


def _outcome_lines(rows: Sequence[UsageRow], n_requests: int) -> list[OutcomeLine]:
    """Allowed first, then the others from the most frequent to the least."""
    by_outcome = totals_by(rows, lambda row: row.outcome)

    def order(outcome: Outcome) -> tuple[bool, int, int]:
        return outcome is not Outcome.ALLOWED, -by_outcome[outcome].n_requests, OUTCOMES[outcome].number

    return [
        OutcomeLine(
            label=OUTCOMES[outcome].label,
            code=OUTCOMES[outcome].code,
            status=OUTCOMES[outcome].status,
            tone=OUTCOMES[outcome].tone,
            n_requests=by_outcome[outcome].n_requests,
            percent=percent(by_outcome[outcome].n_requests, n_requests),
        )
        for outcome in sorted(by_outcome, key=order)
    ]


def _service_lines(rows: Sequence[UsageRow], services: Mapping[int, ServiceFacts]) -> list[ServiceLine]:
    """In the order of the services; requests that named none come last."""

    def facts(row: UsageRow) -> ServiceFacts:
        return UNKNOWN if row.service_id is None else services.get(row.service_id, UNKNOWN)

    by_service = totals_by(rows, facts)
    return [
        ServiceLine(
            name=service.name,
            version=service.version,
            swatch=UNKNOWN_SWATCH if service is UNKNOWN else service.swatch,
            totals=by_service[service],
        )
        for service in sorted(by_service, key=lambda service: (service.position, service.slug))
    ]
