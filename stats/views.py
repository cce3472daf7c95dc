"""The statistics page, whole or (for htmx) the part of it that the filters change; its export; the key list's bars."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from accounts.access import account_or_404, requires
from accounts.models import Account
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of
from keys.models import ApiKey, Service
from keys.selectors import all_keys_of
from stats.filter_boxes import filter_boxes
from stats.forms import GRAIN_LABELS, MEASURE_LABELS, UsageFilters
from stats.key_use import use_bar
from stats.periods import Grain
from stats.queries import minute_of
from stats.selectors import requests_counted_on, usage_counted_at
from stats.spans import whole_month
from stats.usage_filters import usage_filters
from stats.usage_page import usage_busiest, usage_overview
from stats.view_exports import EXPORTS, export_name, export_of

MAX_KEYS = 200


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
@requires(Permission.SEE)
def statistics(request: SiteRequest) -> HttpResponse:
    """Usage of a period by any cut; 422 where the filters make no sense.

    The page asks every few seconds and names the state it has `seen`: while that is the newest, there is nothing
    to answer (204). It asks for the chart's `numbers` as a table when that is opened, and while it is open.
    """
    account, now = account_or_404(request), utc_now()
    counted_at = usage_counted_at(account)
    state = f"{minute_of(now):%Y%m%d%H%M}.{counted_at.timestamp() if counted_at else 0}"
    if request.GET.get("seen") == state:
        return HttpResponse(status=204)
    services = list(Service.objects.all())
    filters = usage_filters(request.GET, account=account, services=services, now=now)
    context: dict[str, Any] = {"filters": filters, "state": state, "counted_at": counted_at}
    if counted_at is not None:
        context["age_s"] = max(0, int((now - counted_at).total_seconds()))
    if filters.is_valid():
        context |= _usage_context(account, filters, services, now)
        if "numbers" not in request.GET:
            context["numbers_url"] = f"{reverse('stats:statistics')}?{filters.view.url_query}&numbers=1"
    context["boxes"] = filter_boxes(filters)
    template = "stats/_statistics.html" if request.htmx else "stats/statistics.html"
    response = render(request, template, context, status=422 if filters.errors else 200)
    if request.htmx.target == "statistics" and filters.is_valid():
        # The form sends all that it has; the address says only what is unusual.
        return push_url(response, f"{reverse('stats:statistics')}?{filters.view.url_query}")
    return response


@require_safe
@requires(Permission.SEE)
def statistics_busiest(request: SiteRequest) -> HttpResponse:
    """The busiest hour of what the page shows: a part of it that comes after the rest."""
    account, services = account_or_404(request), list(Service.objects.all())
    filters = usage_filters(request.GET, account=account, services=services, now=utc_now())
    found = usage_busiest(account, filters.view, services=services) if filters.is_valid() else None
    return render(request, "stats/_busiest.html", {"busiest": found}, status=422 if filters.errors else 200)


@require_safe
@requires(Permission.SEE)
def statistics_export(request: SiteRequest, format: str) -> HttpResponseBase:
    """What the page shows as CSV or JSON, every group by itself, a few rows at a time."""
    if format not in EXPORTS:
        raise Http404("There is no such format.")
    account, services = account_or_404(request), list(Service.objects.all())
    filters = usage_filters(request.GET, account=account, services=services, now=utc_now())
    if not filters.is_valid():
        text = "\n".join(str(error) for errors in filters.errors.values() for error in errors)
        return HttpResponse(text, content_type="text/plain; charset=utf-8", status=422)
    lines = export_of(account, filters.view, services=services, format=format)
    name = f'attachment; filename="{export_name(filters.view, format)}"'
    return StreamingHttpResponse(lines, content_type=EXPORTS[format], headers={"Content-Disposition": name})


@require_safe
@requires(Permission.SEE)
def key_use(request: SiteRequest) -> HttpResponse:
    """Today's requests of the keys that a page of the key list shows, as bars that go into its rows."""
    account = account_or_404(request)
    named = [text for text in request.GET.getlist("key")[:MAX_KEYS] if text.isascii() and text.isdecimal()]
    found = all_keys_of(account).filter(pk__in=[int(text) for text in named if len(text) < 19])
    keys = list(found.only("pk", "requests_per_day", "spiked_at", "spike_quota", "lineage"))
    today = day_of(utc_now(), settings.BILLING_ZONE)
    used = requests_counted_on(account=account, day=today, keys=keys)
    of_plan = account.plan.requests_per_day
    bars = [
        use_bar(key.pk, used.get(key.counted_id, 0), key.requests_per_day, of_plan, _spike_quota(key, today))
        for key in keys
    ]
    return render(request, "stats/_key_use.html", {"bars": bars})


def _spike_quota(key: ApiKey, today: date) -> int | None:
    return key.spike_quota_on(today, settings.BILLING_ZONE)


def _usage_context(account: Account, filters: UsageFilters, services: list[Service], now: datetime) -> dict[str, Any]:
    view, zone = filters.view, settings.BILLING_ZONE
    span = view.shown(zone)
    bounds = (span.start, span.end)
    return {
        "view": view,
        "span": span,
        "is_live": span.holds(now),
        "whole_month": None if view.filters else whole_month(span.days, day_of(now, zone)),
        "overview": usage_overview(account, view, services=services, now=now),
        "measure_label": MEASURE_LABELS[view.measure],
        "grain": view.grain_shown(zone),
        "grains": [(grain, GRAIN_LABELS[grain]) for grain in Grain if grain in span.grains],
        "is_widened": bounds != (view.span.start, view.span.end),
        "hours": () if bounds == span.days.bounds(zone) else bounds,
    }
