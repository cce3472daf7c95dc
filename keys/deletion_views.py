"""Deleting a key, with a question, and taking that back."""

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
from keys.beside import beside, key_changed
from keys.deletion import key_restore
from keys.errors import KeyHeld
from keys.selectors import all_keys_of
from keys.services import key_revoke


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
        messages.info(request, _("“%(name)s” was deleted before.") % {"name": key.name})
    return render(request, "keys/_deleted.html", {"key": key, **beside(request, account)})


@require_POST
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_KEYS)
def key_undo(request: SiteRequest, key_id: int) -> HttpResponse:
    """Takes a deletion back. One that was taken back before, in another window, is answered alike."""
    account = account_or_404(request)
    key = get_object_or_404(all_keys_of(account), pk=key_id)
    try:
        key_restore(key=key)
    except KeyHeld as error:
        messages.error(request, _("“%(name)s” stays deleted. %(reason)s") % {"name": key.name, "reason": error})
    else:
        messages.success(request, _("“%(name)s” is back, and works as before.") % {"name": key.name})
    return key_changed(request, account)
