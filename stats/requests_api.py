"""The usage API's request log: the same records and filters as on the page, by cursor."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from accounts.api import ERRORS, TokenAuth, account_of, check_names, unusable
from accounts.models import TokenScope
from goongdash.lib.clock import utc_now
from keys.models import KeyType
from keys.selectors import all_keys_of, services
from stats.log_query import Position
from stats.log_rows import LogRow, log_rows
from stats.outcomes import Outcome
from stats.request_filters import LogPeriod, RequestFilters
from stats.request_log import LogPage, log_page

router = Router(tags=["requests"], auth=TokenAuth(TokenScope.REQUESTS))

MAX_REQUESTS = 200


class RequestsParams(Schema):
    """Which requests: the parameters of the request log's address."""

    limit: int = Field(50, ge=1, le=MAX_REQUESTS)
    before: str | None = Field(None, description="`next` of the page before: older requests.")
    period: LogPeriod | None = Field(None, description="As long as requests are kept, if nothing is named.")
    first: str | None = Field(None, alias="from", description="From when on, as 2026-11-23T09:00 in the zone.")
    last: str | None = Field(None, alias="to", description="Until when.")
    outcome: str | None = Field(None, description="What the gate decided; “refused” is all refusals.")
    key: str | None = Field(None, description="The id of a key, deleted ones too.")
    type: KeyType | None = Field(None, description="A type of keys.")
    service: str | None = Field(None, description="The slug of a service; “none” is none.")
    origin: str | None = Field(None, max_length=255, description="Any part of one; “none” is none named.")


class RequestOut(Schema):
    """One request. `ip` is without its last part unless the installation shows addresses whole."""

    request_id: UUID
    at: datetime
    service: str | None
    key_id: int
    outcome: Outcome
    status: int
    code: str
    origin: str
    country: str
    ip: str
    units: int
    cost_micro_usd: int


class RequestsOut(Schema):
    """Requests, the newest first. `next` leads to older ones, null at the end; a page before that may be short."""

    requests: list[RequestOut]
    next: str | None
    time_zone: str
    kept_days: int


@router.get("/requests", response={200: RequestsOut, **ERRORS}, summary="The request log", url_name="requests")
def requests(request: HttpRequest, asked: Query[RequestsParams]) -> dict[str, Any]:
    check_names(request, RequestsParams)
    account, now = account_of(request), utc_now()
    if asked.before is not None and Position.parse(asked.before) is None:
        raise unusable([("before", "This is no cursor. Send what “next” was.")])
    keys, all_services = list(all_keys_of(account).only("name", "masked_text", "type", "revoked_at")), list(services())
    filters = RequestFilters(request.GET.dict(), keys=keys, services=all_services, now=now)
    if not filters.is_valid():
        raise unusable((name, str(error)) for name, errors in filters.errors.items() for error in errors)
    page = log_page(account=account, query=filters.log_query, now=now, size=asked.limit)
    rows = log_rows(
        page.records, keys={key.pk: key for key in keys}, services={service.pk: service for service in all_services}
    )
    return {
        "requests": [_request(row) for row in rows],
        "next": _next(page),
        "time_zone": settings.BILLING_TIME_ZONE,
        "kept_days": settings.RAW_RETENTION_DAYS,
    }


def _next(page: LogPage) -> str | None:
    if page.looked_back_to is not None:
        return str(page.looked_back_to)
    return str(Position(page.records[-1].at, page.records[-1].pk)) if page.has_older else None


def _request(row: LogRow) -> dict[str, Any]:
    record = row.record
    return {
        "request_id": record.request_id,
        "at": record.at.astimezone(settings.BILLING_ZONE),
        "service": row.service.slug if row.service else None,
        "key_id": record.key_id,
        "outcome": row.outcome,
        "status": row.facts.status,
        "code": row.facts.code,
        "origin": record.origin,
        "country": record.country,
        "ip": row.address,
        "units": record.units,
        "cost_micro_usd": record.cost_micro_usd,
    }
