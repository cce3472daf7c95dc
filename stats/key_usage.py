"""Reads what one key was used for, from the hourly and daily sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from keys.models import ApiKey, Service
from stats.charts import Chart
from stats.key_periods import KeyPeriod, KeySpan, key_chart, key_span
from stats.report import UsageReport, usage_report
from stats.selectors import service_facts, usage_rows


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """`chart` has allowed and refused requests; `report` the totals, from the same rows."""

    span: KeySpan
    report: UsageReport
    chart: Chart


def key_usage_of(key: ApiKey, name: KeyPeriod, *, now: datetime) -> KeyUsage:
    """In two queries: one for the sums, one for the services."""
    zone = settings.BILLING_ZONE
    span = key_span(name, now=now, zone=zone)
    rows = [row for row in usage_rows(account=key.account, period=span.period, key=key) if span.holds(row)]
    services = service_facts(Service.objects.all())
    labels = {"allowed": _("Allowed"), "map-parts": _("Parts of map loads"), "refused": _("Refused")}
    return KeyUsage(
        span,
        usage_report(rows, buckets=span.buckets, services=services, zone=zone),
        key_chart(rows, span=span, services=services, labels=labels, zone=zone),
    )
