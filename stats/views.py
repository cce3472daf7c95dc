"""The statistics page, whole or (for htmx) the part of it that the filters change; the bars of the key list."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.access import account_or_404, requires
from accounts.models import Account
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of
from keys.models import ApiKey
from keys.selectors import all_keys_of
from stats.forms import UsageFilters
from stats.key_use import use_bar
from stats.selectors import requests_counted_on, usage_counted_at, usage_of

MAX_KEYS = 200


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.SEE)
def statistics(request: SiteRequest) -> HttpResponse:
    """Requests of a period by service and outcome; 422 where the filters make no sense.

    The page asks every few seconds and names the state it has `seen`: while that is the newest, there is nothing
    to answer (204).
    """
    account, now = account_or_404(request), utc_now()
    counted_at = usage_counted_at(account)
    state = f"{day_of(now, settings.BILLING_ZONE)}.{counted_at.timestamp() if counted_at else 0}"
    if request.GET.get("seen") == state:
        return HttpResponse(status=204)
    filters = UsageFilters(request.GET.dict(), keys=list(all_keys_of(account)), now=now)
    context: dict[str, Any] = {"filters": filters, "state": state, "counted_at": counted_at}
    if counted_at is not None:
        context["age_s"] = max(0, int((now - counted_at).total_seconds()))
    if filters.is_valid():
        context |= usage_context(account, filters, now)
    template = "stats/_statistics.html" if request.htmx else "stats/statistics.html"
    return render(request, template, context, status=422 if filters.errors else 200)


@require_safe
@requires(Permission.SEE)
def key_use(request: SiteRequest) -> HttpResponse:
    """Today's requests of the keys that a page of the key list shows, as bars that go into its rows."""
    account = account_or_404(request)
    asked = [int(text) for text in request.GET.getlist("key")[:MAX_KEYS] if text.isascii() and text.isdecimal()]
    found = all_keys_of(account).filter(pk__in=[pk for pk in asked if pk < 2**63])
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


def usage_context(account: Account, filters: UsageFilters, now: datetime) -> dict[str, Any]:
    period = filters.selected_period
    return {
        "period": period,
        "is_live": period.last == day_of(now, settings.BILLING_ZONE),
        "report": usage_of(account=account, period=period, key=filters.selected_key),
    }
