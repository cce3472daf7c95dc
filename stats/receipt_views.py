"""The receipt of a deleted or disabled key, whole or as the fragment that asks again, and the list of deleted keys."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from keys.deletion import deleted_keys_of, deleted_rows
from stats.receipts import ended_keys_of, key_receipt

PAGE_SIZE = 50


@require_safe
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.SEE)
def receipt(request: SiteRequest, key_id: int) -> HttpResponse:
    key = get_object_or_404(ended_keys_of(account_or_404(request)), pk=key_id)
    context = {"key": key, "receipt": key_receipt(key, now=utc_now())}
    return render(request, "receipts/_receipt.html" if request.htmx else "receipts/receipt.html", context)


@require_safe
@requires(Permission.SEE)
def deleted_keys(request: HttpRequest) -> HttpResponse:
    keys = deleted_keys_of(account_or_404(request))
    page = Paginator(keys, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": deleted_rows(page, now=utc_now())}
    return render(request, "receipts/deleted.html", context)
