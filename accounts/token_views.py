"""The page of a member's personal tokens."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import membership_or_404, requires
from accounts.errors import TooManyTokens
from accounts.forms import TokenForm
from accounts.models import Membership, TokenScope
from accounts.permissions import Permission, may
from accounts.requests import SiteRequest
from accounts.tokens import PERMISSIONS, MadeToken, token_create, token_revoke, tokens_of, tokens_of_account
from goongdash.lib.clock import utc_now


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@requires(Permission.SEE)
def tokens(request: SiteRequest) -> HttpResponse:
    """The member's tokens; POST makes one, whose text is on the answer and never again."""
    member = membership_or_404(request)
    form = TokenForm(request.POST if request.method == "POST" else None, scopes=scopes_of(member))
    made = _made(form, member) if form.is_valid() else None
    others = tokens_of_account(member.account).exclude(membership=member)
    context = {
        "form": TokenForm(scopes=scopes_of(member)) if made else form,
        "made": made,
        "tokens": tokens_of(member),
        "others": others if may(member.role, Permission.MANAGE_MEMBERS) else [],
        "now": utc_now(),
        "curl": _curl(request, made) if made else "",
    }
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "accounts/tokens.html", context, status=status)


@require_POST
@requires(Permission.SEE)
def token_revoke_view(request: SiteRequest, token_id: int) -> HttpResponse:
    """Revokes one's own token, or anybody's for who manages members."""
    member = membership_or_404(request)
    reach = tokens_of_account(member.account) if may(member.role, Permission.MANAGE_MEMBERS) else tokens_of(member)
    token = get_object_or_404(reach, pk=token_id)
    token_revoke(token=token)
    messages.success(request, _("“%(name)s” is revoked.") % {"name": token.name})
    return redirect("accounts:tokens")


def scopes_of(member: Membership) -> list[TokenScope]:
    """What a token of this member may read."""
    return [scope for scope, needed in PERMISSIONS.items() if may(member.role, needed)]


def _curl(request: SiteRequest, made: MadeToken) -> str:
    url = request.build_absolute_uri("/api/v1/usage?period=7d&by=service")
    return f'curl -H "Authorization: Bearer {made.text}" "{url}"'


def _made(form: TokenForm, member: Membership) -> MadeToken | None:
    days = form.cleaned_data["days"]
    expires_at = utc_now() + timedelta(days=days) if days else None
    name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
    try:
        return token_create(member=member, name=name, scopes=scopes, expires_at=expires_at)
    except TooManyTokens as error:
        form.add_error(None, str(error))
        return None
