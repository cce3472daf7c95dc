"""Puts the signed-in user's account on the request, so that no view has to look for it, says who is acting, and
speaks the user's language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import SimpleLazyObject

from accounts.actors import acting, actor_of_request
from accounts.current import current_membership
from accounts.models import Account, Membership, User
from accounts.selectors import memberships_of_user


class SignInMiddleware(LoginRequiredMiddleware):
    """Django's, but for an open view it does not ask who is signed in: sessions stay out of the usage API."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        answer: HttpResponseBase | None = super().process_view(request, view_func, view_args, view_kwargs)
        return answer


class CurrentAccountMiddleware:
    """Sets `request.account` (lazily) to the account the user works in, None for strangers.

    `request.membership` is what the user is in it, `request.memberships` all that the user is a member of.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.memberships = SimpleLazyObject(lambda: _memberships(request))  # type: ignore[attr-defined]
        request.membership = SimpleLazyObject(lambda: current_membership(request))  # type: ignore[attr-defined]
        request.account = SimpleLazyObject(lambda: _account(request))  # type: ignore[attr-defined]
        with acting(lambda: actor_of_request(request)):
            response = self.get_response(request)
        if request.session.accessed and not response.has_header("Cache-Control"):
            # A page of an account is nobody else's, nor the next one's at the same browser.
            patch_cache_control(response, private=True, no_cache=True)
        return response


class UserLanguageMiddleware:
    """Speaks the language that the signed-in user chose, where LocaleMiddleware took the cookie's or the browser's.

    Operators' pages and the usage API are in one language, as commands and logs are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_in_one = _is_of_api(request) or request.path.startswith(reverse("admin:index"))
        language = settings.LANGUAGE_CODE if is_in_one else _chosen(request)
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = language
        response = self.get_response(request)
        if not _is_of_api(request):
            patch_vary_headers(response, ["Cookie"])
        return response


def _is_of_api(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("api:api-root"))


def _chosen(request: HttpRequest) -> str:
    # Who sends no session is nobody that we know: health checks and the like need no session to be made for them.
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return request.user.language if has_session and isinstance(request.user, User) else ""


def _memberships(request: HttpRequest) -> list[Membership]:
    return memberships_of_user(request.user) if isinstance(request.user, User) else []


def _account(request: HttpRequest) -> Account | None:
    membership = current_membership(request)
    return membership.account if membership else None
