"""The dialogs that block an origin on a key and that lift what was done to a key for its use."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from keys.beside import beside_key
from keys.errors import OriginError
from keys.guarding import blockable_host, is_held, key_block_origin, key_lift, key_unblock_origin
from keys.models import ApiKey
from keys.selectors import keys_of


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.CHANGE_KEYS)
def key_block(request: SiteRequest, key_id: int) -> HttpResponse:
    """Asks, and blocks on POST. 422 for what is no origin, or where too many are blocked."""
    key = _key_or_404(request, key_id)
    if request.method == "GET" and not request.htmx:
        return redirect("keys:key", key.pk)
    origin = (request.GET if request.method == "GET" else request.POST).get("origin", "")
    if request.method == "GET":
        return _ask_to_block(request, key, origin)
    try:
        is_new = key_block_origin(key=key, origin=origin)
    except OriginError as error:
        return _ask_to_block(request, key, origin, error=str(error), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    host = blockable_host(origin)
    if is_new:
        messages.success(request, _("%(host)s is blocked on “%(key)s”, at once.") % {"host": host, "key": key.name})
    else:
        messages.info(request, _("%(host)s was blocked on “%(key)s” before.") % {"host": host, "key": key.name})
    return render(request, "keys/_guarded.html", beside_key(request, key))


@require_POST
@never_cache
@requires(Permission.CHANGE_KEYS)
def key_unblock(request: SiteRequest, key_id: int) -> HttpResponse:
    """Unblocks, and answers with what is still blocked."""
    key, host = _key_or_404(request, key_id), request.POST.get("host", "")
    if key_unblock_origin(key=key, host=host):
        messages.success(request, _("%(host)s is not blocked any more.") % {"host": host})
    return render(request, "keys/_blocked.html", {"key": key, "is_beside": True})


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.CHANGE_KEYS)
def key_lift_dialog(request: SiteRequest, key_id: int) -> HttpResponse:
    """Asks, and lifts on POST. A key that is not held, as after a double click, is said to be as it was."""
    key = _key_or_404(request, key_id)
    if request.method == "GET" and not request.htmx:
        return redirect("keys:key", key.pk)
    if request.method == "GET" and is_held(key, utc_now()):
        return render(request, "keys/_lift.html", {"key": key})
    if request.method == "POST" and key_lift(key=key):
        messages.success(request, _("“%(key)s” works as before, at once.") % {"key": key.name})
    else:
        messages.info(request, _("“%(key)s” is neither cut nor disabled for its use.") % {"key": key.name})
    return render(request, "keys/_guarded.html", beside_key(request, key))


def _ask_to_block(
    request: SiteRequest, key: ApiKey, origin: str, *, error: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {"key": key, "origin": origin, "host": blockable_host(origin), "error": error}
    return render(request, "keys/_block.html", context, status=status)


def _key_or_404(request: SiteRequest, key_id: int) -> ApiKey:
    return get_object_or_404(keys_of(account_or_404(request)).select_related("account"), pk=key_id)
