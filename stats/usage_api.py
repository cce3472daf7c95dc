"""The usage API's statistics and keys: the same cuts as the statistics page, by the same parameters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from accounts.api import ERRORS, TokenAuth, account_of, check_names, unusable
from accounts.models import TokenScope
from goongdash.lib.clock import utc_now
from keys.models import KeyState, KeyType, Service
from keys.selectors import all_keys_of
from stats.cuts import usage_cut, usage_totals
from stats.exports import start_text
from stats.periods import Grain
from stats.queries import OTHER, Dimension, Group, Measure, UsageCut
from stats.selectors import service_facts, usage_counted_at
from stats.series import Bucket, Totals
from stats.spans import SpanName
from stats.usage_filters import usage_filters
from stats.usage_page import group_names
from stats.usage_views import DEFAULT_BY, DEFAULT_MEASURE, ChartKind

router = Router(tags=["usage"], auth=TokenAuth(TokenScope.USAGE))

MAX_KEYS = 200


class UsageParams(Schema):
    """What to add up: the parameters of the statistics page's address. Filters may be repeated, and combine."""

    period: SpanName | None = Field(None, description="Seven days, if nothing is named.")
    first: date | None = Field(None, alias="from", description="The first day, instead of a period.")
    last: date | None = Field(None, alias="to", description="The last day, included.")
    grain: Grain | None = Field(
        None, description="Where the period allows it; else the usual one. The answer says which."
    )
    by: Dimension = Field(DEFAULT_BY, description="What the groups are.")
    measure: Measure = Field(DEFAULT_MEASURE, description="What the largest groups have most of.")
    chart: ChartKind | None = Field(None, description="Without meaning here; the page's address may hold it.")
    key: list[str] = Field(
        [], description="Ids of keys, deleted ones too. Keys that took each other's place are one, by any of them."
    )
    type: list[KeyType] = Field([], description="Types of keys.")
    service: list[str] = Field([], description="Slugs of services; - is none.")
    outcome: list[str] = Field([], description="What the gate decided.")
    origin: list[str] = Field([], description="Whole origins; - is none named.")
    country: list[str] = Field([], description="Two letters; - is unknown.")


class TotalsOut(Schema):
    """Sums. Refused requests cost nothing."""

    requests: int
    allowed: int
    refused: int
    units: int
    cost_micro_usd: int


class SeriesOut(Schema):
    """A value for each of the answer's `buckets`; 0 where nothing happened."""

    requests: list[int]
    refused: list[int]
    units: list[int]
    cost_micro_usd: list[int]


class GroupOut(Schema):
    """One of the ten largest groups, as filters name it; or, last and with null, all others together.

    Keys that took each other's place are one group, by the newest that is not deleted.
    """

    group: str | None
    label: str
    totals: TotalsOut
    series: SeriesOut


class UsageOut(Schema):
    """What was asked for, `[start, end)`. `counted_at` is when usage was last added: the age of the newest number."""

    start: datetime
    end: datetime
    time_zone: str
    grain: Grain
    by: Dimension
    measure: Measure
    filters: dict[str, list[str]]
    notice: str = Field(description="Where the days differ from those asked for; else empty.")
    counted_at: datetime | None
    buckets: list[str] = Field(description="Days as 2026-11-23 (months by their first), else instants.")
    totals: TotalsOut
    totals_before: TotalsOut = Field(description="Those of the period before, which is as long.")
    groups: list[GroupOut]


@router.get("/usage", response={200: UsageOut, **ERRORS}, summary="Usage of a period by any cut", url_name="usage")
def usage(request: HttpRequest, asked: Query[UsageParams]) -> dict[str, Any]:
    check_names(request, UsageParams)
    account, now, services = account_of(request), utc_now(), list(Service.objects.all())
    counted_at = usage_counted_at(account)
    filters = usage_filters(request.GET, account=account, services=services, now=now, n_keys=0)
    if not filters.is_valid():
        raise unusable(filters.faults)
    view, zone = filters.view, settings.BILLING_ZONE
    query = view.query(account.pk, {service.slug: service.pk for service in services}, zone)
    cut = usage_cut(query)
    names = group_names(cut.groups, view.by, account=account, services=service_facts(services))
    buckets = query.buckets(zone)
    return {
        "start": query.start.astimezone(zone),
        "end": query.end.astimezone(zone),
        "time_zone": settings.BILLING_TIME_ZONE,
        "grain": query.grain,
        "by": view.by,
        "measure": view.measure,
        "filters": {dimension.value: list(texts) for dimension, texts in view.filters.items() if texts},
        "notice": view.span.notice,
        "counted_at": counted_at,
        "buckets": [start_text(bucket) for bucket in buckets],
        "totals": _totals(cut.totals),
        "totals_before": _totals(usage_totals(query.before(zone))),
        "groups": [
            {
                "group": None if group is OTHER else names[group].text,
                "label": names[group].label,
                "totals": _totals(totals),
                "series": _series(cut, group, buckets),
            }
            for group, totals in cut.by_group.items()
        ],
    }


def _totals(totals: Totals) -> dict[str, int]:
    return {
        "requests": totals.n_requests,
        "allowed": totals.n_allowed,
        "refused": totals.n_refused,
        "units": totals.units,
        "cost_micro_usd": totals.cost_micro_usd,
    }


def _series(cut: UsageCut, group: Group, buckets: Sequence[Bucket]) -> dict[str, list[int]]:
    by_bucket = {cell.bucket: _totals(cell.totals) for cell in cut.cells if cell.group == group}
    nothing = _totals(Totals())
    return {name: [by_bucket.get(bucket, nothing)[name] for bucket in buckets] for name in SeriesOut.model_fields}


class KeysParams(Schema):
    """Which page of the keys."""

    limit: int = Field(100, ge=1, le=MAX_KEYS)
    after: int | None = Field(None, ge=1, lt=2**63, description="`next` of the page before.")


class KeyOut(Schema):
    """A key without its text."""

    id: int
    name: str
    masked_text: str
    type: KeyType
    state: KeyState
    created_at: datetime
    expires_at: datetime | None
    deleted_at: datetime | None


class KeysOut(Schema):
    """Keys, the newest first. `next` leads to more of them; null at the end."""

    keys: list[KeyOut]
    next: int | None


@router.get("/keys", response={200: KeysOut, **ERRORS}, summary="All keys, deleted ones too", url_name="keys")
def keys(request: HttpRequest, asked: Query[KeysParams]) -> dict[str, Any]:
    check_names(request, KeysParams)
    now, found = utc_now(), all_keys_of(account_of(request)).order_by("-id")
    if asked.after is not None:
        found = found.filter(pk__lt=asked.after)
    page = list(found.defer("ciphertext", "lookup_digest", "description")[: asked.limit + 1])
    shown = page[: asked.limit]
    return {
        "keys": [
            {
                "id": key.pk,
                "name": key.name,
                "masked_text": key.masked_text,
                "type": key.type,
                "state": key.state_at(now),
                "created_at": key.created_at,
                "expires_at": key.expires_at,
                "deleted_at": key.revoked_at,
            }
            for key in shown
        ],
        "next": shown[-1].pk if len(page) > len(shown) else None,
    }
