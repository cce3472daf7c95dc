"""What is under way while one key replaces another: a page, a dialog, or the part of it that asks again."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from keys.models import Rotation
from stats.rotations import old_key_use


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
@never_cache
@requires(Permission.SEE)
def rotation(request: SiteRequest, key_id: int) -> HttpResponse:
    """Of the old key. Once it is retired, its receipt is what there is to see."""
    rotations = Rotation.objects.select_related("old__use", "new").filter(old__account=account_or_404(request))
    found, now = get_object_or_404(rotations, old_id=key_id), utc_now()
    context = {
        "rotation": found,
        "key": found.old,
        "use": old_key_use(found, now=now),
        "is_over": found.old.revoked_at is not None or found.ends_at <= now,
    }
    return render(request, _template(request), context)


def _template(request: SiteRequest) -> str:
    if not request.htmx:
        return "receipts/rotation.html"
    return "receipts/_rotation_dialog.html" if request.htmx.target == "dialog" else "receipts/_rotation.html"
