"""Reads what one key was used for, from the hourly and daily sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from keys.models import ApiKey, Service
from stats.cut_charts import CutChart
from stats.key_periods import KeyPeriod, KeySpan, key_chart, key_span
from stats.selectors import service_facts, usage_rows
from stats.series import Totals, totals_of


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """`chart` has allowed and refused requests, `totals` and `n_parts` (of map loads, which are free) the same rows."""

    span: KeySpan
    totals: Totals
    n_parts: int
    chart: CutChart


def key_usage_of(key: ApiKey, name: KeyPeriod, *, now: datetime) -> KeyUsage:
    """In two queries: one for the sums, one for the services."""
    zone = settings.BILLING_ZONE
    span = key_span(name, now=now, zone=zone)
    rows = [row for row in usage_rows(account=key.account, period=span.period, key=key) if span.holds(row)]
    services = service_facts(Service.objects.all())
    parts = {service_id for service_id, facts in services.items() if facts.is_part}
    labels = {"allowed": _("Allowed"), "map-parts": _("Parts of map loads"), "refused": _("Refused")}
    return KeyUsage(
        span,
        totals_of(rows),
        sum(row.n_requests for row in rows if row.service_id in parts),
        key_chart(rows, span=span, services=services, labels=labels, zone=zone),
    )
