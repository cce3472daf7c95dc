"""The parts of a key's page that are made of usage: fragments that the page asks for, each with a URL of its own.

The page itself belongs to the keys, which know nothing of usage; so it is there at once, and a part that is slow to
count, or fails, delays only itself.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from keys.models import ApiKey
from keys.selectors import all_keys_of
from stats.key_periods import KeyPeriod, key_period
from stats.key_usage import key_usage_of
from stats.origins import top_origins
from stats.periods import hour_of
from stats.selectors import usage_counted_at

PERIOD_LABELS = {
    KeyPeriod.DAY: _("24 hours"),
    KeyPeriod.WEEK: _("7 days"),
    KeyPeriod.MONTH: _("30 days"),
    KeyPeriod.QUARTER: _("90 days"),
}


@require_safe
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.SEE)
def key_usage(request: SiteRequest, key_id: int) -> HttpResponse:
    """Requests and refusals of a key over a period; asked again every few seconds, 204 while nothing is new."""
    key, now = _key_or_404(request, key_id), utc_now()
    name = key_period(request.GET.get("period", ""))
    if not request.htmx:
        return redirect(f"{reverse('keys:key', args=[key.pk])}?tab=use&period={name}")
    counted_at = usage_counted_at(key.account)
    state = f"{name}.{hour_of(now, settings.BILLING_ZONE):%d%H}.{counted_at.timestamp() if counted_at else 0}"
    if request.GET.get("seen") == state:
        return HttpResponse(status=204)
    context = {
        "key": key,
        "usage": key_usage_of(key, name, now=now),
        "name": name,
        "names": PERIOD_LABELS,
        "state": state,
        "is_live": key.revoked_at is None,
        "counted_at": counted_at,
        "age_s": max(0, int((now - counted_at).total_seconds())) if counted_at else None,
    }
    return render(request, "stats/_key_usage.html", context)


@require_safe
@never_cache
@requires(Permission.SEE)
def key_origins(request: SiteRequest, key_id: int) -> HttpResponse:
    """Where the key's requests of the last days came from."""
    key = _key_or_404(request, key_id)
    if not request.htmx:
        return redirect(f"{reverse('keys:key', args=[key.pk])}?tab=use")
    return render(request, "stats/_key_origins.html", {"key": key, "origins": top_origins(key, now=utc_now())})


def _key_or_404(request: SiteRequest, key_id: int) -> ApiKey:
    """A key of the account, deleted or not."""
    return get_object_or_404(all_keys_of(account_or_404(request)).select_related("account"), pk=key_id)
