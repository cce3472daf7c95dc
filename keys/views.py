"""The key page: the list, and the dialogs on it that create and delete a key."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import replace_url

from accounts.access import account_or_404, requires
from accounts.models import Account
from accounts.permissions import Permission
from accounts.recent_sign_in import recent_sign_in_where_asked
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from keys.entries import entries_read, entry_read
from keys.errors import KeyInvalid, KeyUnreadable, RestrictionError
from keys.examples import curl_line
from keys.forms import KeyForm, KeySearchForm
from keys.rows import key_rows
from keys.selectors import all_keys_of, keys_of
from keys.services import MAX_RESTRICTIONS, CreatedKey, key_create, key_revoke
from keys.vault import decrypt

PAGE_SIZE = 50
# The search shows when there are more keys than one sees at a glance.
N_KEYS_WITHOUT_SEARCH = 5


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.SEE)
def key_list(request: SiteRequest) -> HttpResponse:
    context = _list_context(account_or_404(request), request.GET)
    return render(request, "keys/_list.html" if request.htmx else "keys/list.html", context)


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.CHANGE_KEYS)
def key_create_dialog(request: SiteRequest) -> HttpResponse:
    """The dialog; when all is well, the new key in it and the list beside it."""
    account = account_or_404(request)
    if request.method == "GET" and not request.htmx:
        return redirect("keys:list")
    form = KeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            created = key_create(account=account, created_by=request.user, **form.cleaned_data)
        except (KeyInvalid, RestrictionError) as error:
            form.add_error(None, str(error))
        else:
            return _created(request, account, created)
    context = {"form": form, "entries": form.entries, "max_entries": MAX_RESTRICTIONS}
    return render(request, "keys/_create.html", context, status=422 if form.errors else 200)


@require_safe
@never_cache
@requires(Permission.CHANGE_KEYS)
@recent_sign_in_where_asked
def key_reveal(request: HttpRequest, key_id: int) -> HttpResponse:
    """The whole text of a key, as plain text."""
    key = get_object_or_404(keys_of(account_or_404(request)), pk=key_id)
    try:
        return HttpResponse(decrypt(key.ciphertext), content_type="text/plain")
    except KeyUnreadable as error:
        return HttpResponse(str(error), content_type="text/plain", status=409)


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_KEYS)
def key_delete(request: SiteRequest, key_id: int) -> HttpResponse:
    """Asks, and deletes on POST. A key deleted before, in another window, only leaves the list."""
    account = account_or_404(request)
    key = get_object_or_404(all_keys_of(account), pk=key_id)
    if request.method == "GET" and key.revoked_at is None:
        return render(request, "keys/_delete.html", {"key": key}) if request.htmx else redirect("keys:list")
    if request.method == "GET" or not key_revoke(key=key):
        messages.info(request, f"“{key.name}” was deleted before.")
    query = QueryDict(urlsplit(request.htmx.current_url or "").query)
    return render(request, "keys/_deleted.html", {**_list_context(account, query), "is_beside": True, "key": key})


@require_safe
@requires(Permission.CHANGE_KEYS)
def check_entry(request: HttpRequest) -> HttpResponse:
    """What one entry of the restriction list stands for, or what is wrong with it."""
    account_or_404(request)
    return render(request, "keys/_entry_note.html", {"entry": entry_read(request.GET.get("restrictions", ""))})


@require_POST
@requires(Permission.CHANGE_KEYS)
def check_entries(request: HttpRequest) -> HttpResponse:
    """The same for a whole list at once, such as one just pasted. Stores nothing."""
    account_or_404(request)
    entries = entries_read(request.POST.getlist("restrictions"))
    return render(request, "keys/_entries.html", {"entries": entries, "max_entries": MAX_RESTRICTIONS})


def _created(request: SiteRequest, account: Account, created: CreatedKey) -> HttpResponse:
    """The key, and the list from its start, where the key is the first."""
    restrictions = [restriction.text for restriction in created.key.restrictions.all()]
    context = {
        **_list_context(account, QueryDict(), new_id=created.key.pk),
        "is_beside": True,
        "created": created,
        "restrictions": restrictions,
        "curl": curl_line(
            gate_url=settings.GATE_PUBLIC_URL,
            key_type=created.key.type,
            key_text=created.text,
            restrictions=restrictions,
        ),
    }
    return replace_url(render(request, "keys/_created.html", context), reverse("keys:list"))


def _list_context(account: Account, query: QueryDict, *, new_id: int | None = None) -> dict[str, Any]:
    search = KeySearchForm(query).text
    page = Paginator(keys_of(account, search=search), PAGE_SIZE).get_page(query.get("page"))
    n_keys = keys_of(account).count() if search else page.paginator.count
    return {
        "page": page,
        "rows": key_rows(page, now=utc_now(), new_id=new_id),
        "search": search,
        "n_keys": n_keys,
        "has_search": bool(search) or n_keys > N_KEYS_WITHOUT_SEARCH,
        "curl": curl_line(gate_url=settings.GATE_PUBLIC_URL, key_type="rest", key_text="YOUR_KEY"),
    }
