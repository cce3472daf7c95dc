"""Puts the signed-in user's account on the request, so that no view has to look for it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.functional import SimpleLazyObject

from accounts.models import Account, User
from accounts.selectors import accounts_of


class CurrentAccountMiddleware:
    """Sets `request.account` (lazily) to the account the user works in, None for strangers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.account = SimpleLazyObject(lambda: _current_account(request))  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.session.accessed and not response.has_header("Cache-Control"):
            # A page of an account is nobody else's, nor the next one's at the same browser.
            patch_cache_control(response, private=True, no_cache=True)
        return response


def _current_account(request: HttpRequest) -> Account | None:
    if not isinstance(request.user, User):
        return None
    return accounts_of(request.user).first()
