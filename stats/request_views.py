"""The request log, whole or (for htmx) the part of it that filters and pages change; the page of one request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from accounts.access import account_or_404, membership_or_404, requires
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from keys.selectors import all_keys_of, key_to_show, services
from stats.explained import recent_refusals, request_explained
from stats.log_query import Position
from stats.log_rows import log_rows
from stats.request_filters import REFUSED, RequestFilters
from stats.request_ids import request_id_in
from stats.request_log import LogPage, log_page, record_found

N_RECENT = 5


@require_safe
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.SEE_REQUESTS)
def request_log(request: SiteRequest) -> HttpResponse:
    """A page of the log; 422 where the filters make no sense. The URL holds filters and cursor."""
    account, now = account_or_404(request), utc_now()
    keys = list(all_keys_of(account).only("name", "masked_text", "type", "revoked_at"))
    all_services = list(services())
    filters = RequestFilters(request.GET.dict(), keys=keys, services=all_services, now=now)
    page = log_page(account=account, query=filters.log_query, now=now) if filters.is_valid() else LogPage([])
    context = {
        "filters": filters,
        "rows": log_rows(
            page.records,
            keys={key.pk: key for key in keys},
            services={service.pk: service for service in all_services},
        ),
        "now": now,
        "retention_days": settings.RAW_RETENTION_DAYS,
        **_links(filters, page),
    }
    status = 422 if filters.errors else 200
    if not request.htmx:
        return render(request, "requests/log.html", context, status=status)
    query = filters.query(before=request.GET.get("before", ""), after=request.GET.get("after", ""))
    url = reverse("requests:log") + (f"?{query}" if query else "")
    return push_url(render(request, "requests/_log.html", context, status=status), url)


def _links(filters: RequestFilters, page: LogPage) -> dict[str, Any]:
    """The queries of the pages beside this one; empty where there is none."""
    links: dict[str, Any] = {"newest": filters.query(), "older": "", "newer": "", "further": ""}
    if page.records:
        first, last = page.records[0], page.records[-1]
        if page.has_older:
            links["older"] = filters.query(before=Position(last.at, last.pk))
        if page.has_newer:
            links["newer"] = filters.query(after=Position(first.at, first.pk))
    if page.looked_back_to is not None:
        links |= {"further": filters.query(before=page.looked_back_to), "looked_back_to": page.looked_back_to.at}
    return links


@require_safe
@requires(Permission.SEE_REQUESTS)
def find(request: SiteRequest) -> HttpResponse:
    """Leads from whatever was pasted around a request id to the page of that request."""
    account_or_404(request)
    pasted = request.GET.get("id", "").strip()
    if not pasted:
        return redirect("requests:log")
    request_id = request_id_in(pasted)
    if request_id is None:
        fault = _("There is no request id in what you entered. It looks like 019abcde-1234-7abc-8def-0123456789ab.")
        return _not_found(request, pasted, fault)
    return redirect("requests:explain", request_id=request_id)


@require_safe
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.SEE_REQUESTS)
def explain(request: SiteRequest, request_id: UUID) -> HttpResponse:
    """What became of a request and why. One that is not the account's is like one that never was: 404."""
    account = account_or_404(request)
    record = record_found(account=account, request_id=request_id)
    if record is None:
        return _not_found(request, str(request_id))
    explained = request_explained(account, record, now=utc_now())
    role = membership_or_404(request).role
    context = {
        "explained": explained,
        "repairs": [link for link in explained.repairs if link.is_for(role)],
        "is_for_others": any(not link.is_for(role) for link in explained.repairs),
        "retention_days": settings.RAW_RETENTION_DAYS,
    }
    return render(request, "requests/_request.html" if request.htmx else "requests/request.html", context)


@require_safe
@never_cache
@requires(Permission.SEE_REQUESTS)
def key_refusals(request: SiteRequest, key_id: int) -> HttpResponse:
    """The newest refusals of a key, which its page asks for."""
    account = account_or_404(request)
    key = key_to_show(account, key_id)
    if not request.htmx:
        return redirect(f"{reverse('requests:log')}?key={key.pk}&outcome={REFUSED}")
    refusals = recent_refusals(account, key, N_RECENT, now=utc_now())
    return render(request, "requests/_key_refusals.html", {"key": key, "refusals": refusals})


def _not_found(request: SiteRequest, pasted: str, fault: str = "") -> HttpResponse:
    context = {"pasted": pasted[:200], "fault": fault, "retention_days": settings.RAW_RETENTION_DAYS}
    return render(request, "requests/not_found.html", context, status=404)
