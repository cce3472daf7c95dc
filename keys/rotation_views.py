"""Rotating a key in a dialog, and ending or cancelling that."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import account_or_404, requires
from accounts.models import Account
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from keys.beside import beside, is_on_list, key_changed, newest_beside
from keys.errors import KeyHeld
from keys.models import ApiKey
from keys.overlap import successor_expires_at
from keys.rotation import Rotated, key_retire, key_rotate, key_rotation_cancel, rotation_fault
from keys.rotation_forms import RotateForm
from keys.selectors import all_keys_of

BY_HAND = "by hand"


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.CHANGE_KEYS)
def key_rotate_dialog(request: SiteRequest, key_id: int) -> HttpResponse:
    """The dialog; when all is well, the new key in it. A key whose rotation is under way is not rotated again."""
    account, now = account_or_404(request), utc_now()
    key = get_object_or_404(all_keys_of(account), pk=key_id)
    if request.method == "GET" and not request.htmx:
        return redirect("keys:list")
    form = RotateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            rotated = key_rotate(key=key, rotated_by=request.user, **form.arguments)
        except KeyHeld as error:
            form.add_error(None, str(error))
        else:
            return _rotated(request, account, rotated)
    context = {
        "key": key,
        "form": form,
        "fault": rotation_fault(key, now=now),
        "new_expires_at": successor_expires_at(now, key.created_at, key.expires_at),
    }
    return render(request, "keys/_rotate.html", context, status=422 if form.errors else 200)


@require_POST
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_KEYS)
def key_retire_now(request: SiteRequest, key_id: int) -> HttpResponse:
    """Ends the overlap. Done twice it is done once."""
    account = account_or_404(request)
    key = get_object_or_404(all_keys_of(account), pk=key_id)
    try:
        key_retire(key=key, because=BY_HAND)
    except KeyHeld as error:
        messages.error(request, str(error))
    else:
        text = _("The old key %(key)s is retired: the gates refuse it. You can undo that for 30 days.")
        messages.success(request, text % {"key": key.masked_text})
    return key_changed(request, account)


@require_POST
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_KEYS)
def key_rotation_cancel_now(request: SiteRequest, key_id: int) -> HttpResponse:
    account = account_or_404(request)
    key = get_object_or_404(all_keys_of(account), pk=key_id)
    try:
        key_rotation_cancel(key=key)
    except KeyHeld as error:
        messages.error(request, str(error))
    else:
        text = _("The rotation is cancelled: %(key)s goes on, and the new key is deleted.")
        messages.success(request, text % {"key": key.masked_text})
    return key_changed(request, account)


def _rotated(request: SiteRequest, account: Account, rotated: Rotated) -> HttpResponse:
    """The new key, which is shown once more in the list; its text is not shown to who came second."""
    new: ApiKey = rotated.rotation.new
    if rotated.text is None:
        messages.info(request, _("“%(name)s” is being replaced already, by %(key)s.") % _names(new))
        return key_changed(request, account)
    context = {
        **(newest_beside(account, new) if is_on_list(request) else beside(request, account)),
        "rotation": rotated.rotation,
        "rotated_key": new,
        "text": rotated.text,
    }
    return render(request, "keys/_rotated.html", context)


def _names(key: ApiKey) -> dict[str, str]:
    return {"name": key.name, "key": key.masked_text}
