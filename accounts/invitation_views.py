"""The page that an invitation's link opens, for whoever has the link, signed in or not."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.current import work_in
from accounts.errors import InvitationError
from accounts.invitations import invitation_accept, invitation_by_token, invitation_users, verified_addresses
from accounts.joining import begin_signing_up
from accounts.models import Invitation, InvitationState, Membership, User
from goongdash.lib.clock import utc_now


@require_http_methods(["GET", "POST"])
@never_cache
@login_not_required
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Asks whether to join; POST joins, or begins to sign up. 410 for a link that is used up."""
    found = invitation_by_token(token)
    if found is None:
        raise Http404("There is no such invitation.")
    if isinstance(request.user, User) and request.method == "POST" and _is_member_by(found, request.user):
        return _go_in(request, found, request.user)
    if found.state_at(utc_now()) is not InvitationState.OPEN:
        return _page(request, found, "closed", HTTPStatus.GONE)
    if not isinstance(request.user, User):
        return _for_visitor(request, found, token)
    addresses = verified_addresses(request.user)
    if found.email not in {address.lower() for address in addresses}:
        return _page(request, found, "other_address", HTTPStatus.FORBIDDEN)
    if request.method == "GET":
        return _page(request, found, "join")
    try:
        invitation_accept(invitation=found, user=request.user, addresses=addresses)
    except InvitationError:
        return _page(request, found, "closed", HTTPStatus.GONE)
    return _go_in(request, found, request.user)


def _for_visitor(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    has_user = bool(invitation_users(found))
    if request.method == "GET":
        return _page(request, found, "sign_in" if has_user else "sign_up")
    if has_user:
        here = reverse("accounts:invitation", args=[token])
        return redirect(f"{reverse('account_login')}?{urlencode({'next': here})}")
    begin_signing_up(request, found)
    return redirect("account_signup")


def _is_member_by(found: Invitation, user: User) -> bool:
    """Whether `user` has joined already, as after a double click."""
    return found.accepted_at is not None and found.account.memberships.filter(user=user).exists()


def _go_in(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    member = Membership.objects.get(account=found.account, user=user)
    work_in(request, found.account)
    words = _("Welcome to %(account)s. Your role is %(role)s.")
    messages.success(request, words % {"account": found.account.name, "role": member.get_role_display()})
    return redirect("home")


def _page(request: HttpRequest, found: Invitation, case: str, status: int = HTTPStatus.OK) -> HttpResponse:
    context = {"invitation": found, "case": case, "state": found.state_at(utc_now())}
    return render(request, "accounts/invitation.html", context, status=status)
