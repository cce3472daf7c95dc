"""The access helpers of every view: the caller's own account, or 404; a role that allows it, or 403."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.current import is_from_another_account
from accounts.models import Account, Membership
from accounts.permissions import Permission, may, roles_with
from accounts.selectors import owners_of

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def account_or_404(request: HttpRequest) -> Account:
    """The account the signed-in user works in. Raises Http404 for a user who is in none."""
    return membership_or_404(request).account


def membership_or_404(request: HttpRequest) -> Membership:
    """What the signed-in user is in the account they work in. Raises Http404 for a user who is in none."""
    membership: Membership | None = getattr(request, "membership", None)
    if not membership:
        raise Http404("You are not a member of any account.")
    return membership


def requires(permission: Permission, *, to_change: Permission | None = None) -> Callable[[View], View]:
    """The view is for members whose role has `permission`; for a POST, `to_change` where that is named.

    Others get 403 and a page that says whom to ask; strangers 404. A change that was meant for another account
    than the one the user works in now gets 409.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            membership = membership_or_404(request)
            needed = to_change if to_change and request.method == "POST" else permission
            if is_from_another_account(request, membership):
                return render(request, "accounts/other_account.html", status=HTTPStatus.CONFLICT)
            if not may(membership.role, needed):
                return forbidden(request, needed)
            return view(request, *args, **kwargs)

        return cast("View", guarded)

    return decorate


def forbidden(request: HttpRequest, needed: Permission) -> HttpResponse:
    """Says what the member's role is, which roles may do `needed`, and who can change that."""
    membership = membership_or_404(request)
    context = {"needed": needed, "roles": roles_with(needed), "owners": owners_of(membership.account)}
    return render(request, "accounts/forbidden.html", context, status=HTTPStatus.FORBIDDEN)
