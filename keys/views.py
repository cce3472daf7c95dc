"""The pages of the keys: the list, each key's own, and a key's text."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url, replace_url

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from accounts.recent_sign_in import recent_sign_in_where_asked
from accounts.requests import SiteRequest
from keys.errors import KeyUnreadable
from keys.key_page import key_context
from keys.key_query import key_page_query
from keys.list_page import list_context
from keys.list_query import list_query
from keys.selectors import keys_of
from keys.vault import decrypt

FILTERS_ID = "key-filters"


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.SEE)
def key_list(request: SiteRequest) -> HttpResponse:
    """The page or, for htmx, the list. Its state is in the URL, which a filter replaces and another page adds to."""
    query = list_query(request.GET.dict())
    context = list_context(account_or_404(request), query)
    if not request.htmx:
        return render(request, "keys/list.html", context)
    url = reverse("keys:list") + (f"?{query.text}" if query.text else "")
    say_url = replace_url if request.htmx.trigger == FILTERS_ID else push_url
    return say_url(render(request, "keys/_list.html", context), url)


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.SEE)
def key_page(request: SiteRequest, key_id: int) -> HttpResponse:
    """A key's own page or, for htmx, what its tabs change. Its state is in the URL. Deleted keys keep theirs."""
    context = key_context(account_or_404(request), key_id, key_page_query(request.GET.dict()))
    return render(request, "keys/_key_body.html" if request.htmx else "keys/key.html", context)


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
