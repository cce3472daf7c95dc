"""Switching a key off, with a question, and on again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from keys.beside import key_changed
from keys.errors import KeyHeld
from keys.selectors import all_keys_of
from keys.switching import key_disable, key_enable


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_KEYS)
def key_disable_dialog(request: SiteRequest, key_id: int) -> HttpResponse:
    """Asks, and disables on POST. A key that is off already, from another window, stays as it is."""
    account = account_or_404(request)
    key = get_object_or_404(all_keys_of(account), pk=key_id)
    if request.method == "GET":
        return render(request, "keys/_disable.html", {"key": key}) if request.htmx else redirect("keys:list")
    try:
        key_disable(key=key)
    except KeyHeld as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("“%(name)s” is disabled: the gates refuse it.") % {"name": key.name})
    return key_changed(request, account)


@require_POST
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_KEYS)
def key_enable_now(request: SiteRequest, key_id: int) -> HttpResponse:
    account = account_or_404(request)
    key = get_object_or_404(all_keys_of(account), pk=key_id)
    try:
        key_enable(key=key)
    except KeyHeld as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("“%(name)s” is enabled, and works again.") % {"name": key.name})
    return key_changed(request, account)
