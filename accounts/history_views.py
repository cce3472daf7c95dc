"""The account's history: who changed what, filtered, a page at a time, and whole for other programs."""

from __future__ import annotations

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import account_or_404, requires
from accounts.audit_export import WRITERS
from accounts.audit_filters import AuditFilters
from accounts.audit_log import changes_in_words
from accounts.permissions import Permission
from accounts.requests import SiteRequest

PAGE_SIZE = 50


@require_safe
@requires(Permission.SEE_HISTORY)
def history(request: SiteRequest) -> HttpResponse:
    """The newest entries that fit, or those before the cursor; 422 where the filters make no sense."""
    filters = AuditFilters(request.GET.dict(), account=account_or_404(request))
    entries = list(filters.entries()[: PAGE_SIZE + 1]) if filters.is_valid() else []
    shown = entries[:PAGE_SIZE]
    context = {
        "filters": filters,
        "rows": [(entry, changes_in_words(entry)) for entry in shown],
        "older": filters.query(before=shown[-1].pk) if len(entries) > PAGE_SIZE else "",
        "newest": filters.query(),
    }
    return render(request, "accounts/history.html", context, status=422 if filters.errors else 200)


@require_safe
@never_cache
@requires(Permission.SEE_HISTORY)
def history_export(request: SiteRequest, format: str) -> StreamingHttpResponse | HttpResponse:
    """All entries that fit, as a file. 404 for another format; 422 where the filters make no sense."""
    filters = AuditFilters(request.GET.dict(), account=account_or_404(request))
    if format not in WRITERS:
        raise Http404("There is no such format.")
    if not filters.is_valid():
        return HttpResponse(filters.errors.as_text(), status=422, content_type="text/plain")
    lines, content_type = WRITERS[format]
    headers = {"Content-Disposition": f'attachment; filename="history.{format}"'}
    return StreamingHttpResponse(lines(filters.entries()), content_type=content_type, headers=headers)
