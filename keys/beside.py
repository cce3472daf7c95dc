"""What stands under a dialog at the browser, the list of keys or the page of one, to come anew with what changed it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import Account
from accounts.requests import SiteRequest
from keys.key_page import key_context
from keys.key_query import key_page_query
from keys.list_page import list_context
from keys.list_query import KeyListQuery, list_query
from keys.models import ApiKey


def beside(request: SiteRequest, account: Account) -> dict[str, Any]:
    """The context of the page that the dialog is on, which the answer brings along: include `beside` with it."""
    url = urlsplit(request.htmx.current_url or "")
    parameters = QueryDict(url.query).dict()
    key_id = _key_id(url.path)
    if key_id is not None:
        try:
            context = key_context(account, key_id, key_page_query(parameters))
        except Http404:
            pass  # The page is of another account: nobody's business, and not to be shown here.
        else:
            return {**context, "is_beside": True, "beside": "keys/_key_page.html"}
    return {**list_context(account, list_query(parameters)), "is_beside": True, "beside": "keys/_list.html"}


def beside_key(request: SiteRequest, key: ApiKey) -> dict[str, Any]:
    """The page of the key, where the dialog is on it; nothing on a page that shows no state of keys."""
    is_on_its_page = _key_id(urlsplit(request.htmx.current_url or "").path) == key.pk
    return beside(request, key.account) if is_on_its_page else {}


def newest_beside(account: Account, key: ApiKey) -> dict[str, Any]:
    """The same for the list, from its start, where a key just made is the first."""
    context = list_context(account, KeyListQuery(), new_id=key.pk)
    return {**context, "is_beside": True, "beside": "keys/_list.html"}


def key_changed(request: SiteRequest, account: Account) -> HttpResponse:
    """The answer to a change that has nothing to show but its messages and the page as it is now.

    The list, or a key's page, comes beside the dialog, which closes; any other page is loaded again.
    """
    if not request.htmx:
        return redirect("keys:list")
    path = urlsplit(request.htmx.current_url or "").path
    if path in {"", reverse("keys:list")} or _key_id(path) is not None:
        return render(request, "keys/_done.html", beside(request, account))
    return HttpResponseClientRefresh()


def is_on_list(request: SiteRequest) -> bool:
    """Also where the browser does not say."""
    list_url = reverse("keys:list")
    return (urlsplit(request.htmx.current_url or "").path or list_url) == list_url


def _key_id(path: str) -> int | None:
    """Whose page has that path; None for a path of any other page."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match.kwargs["key_id"] if match.view_name == "keys:key" else None
