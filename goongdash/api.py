"""The usage API: which parts it has, how errors read, and what holds for every answer.

It knows tokens and no sessions: no cookie is read or set, so there is nothing to forge and the middleware's sign-in
does not apply. Nothing is kept by caches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from ninja.openapi.views import openapi_json
from redis.exceptions import RedisError

from accounts.api import ApiError, ErrorOut, Fault, unusable
from billing.bills_api import router as bills
from stats.requests_api import router as requests
from stats.usage_api import router as usage

# No docs page: ninja's own comes from elsewhere, which the Content-Security-Policy forbids.
api = NinjaAPI(
    title="Goongdash usage API",
    version="1",
    description=(
        "What an account's keys were used for: read only, by a personal token (made at /account/tokens) in the header "
        "`Authorization: Bearer …`. Money is whole micro-dollars (1 USD is 1,000,000); times carry their offset; "
        "days are those of the installation's time zone."
    ),
    docs_url=None,
    openapi_url="",
    urls_namespace="api",
)
for router in (usage, requests, bills):
    api.add_router("", router)


@api.exception_handler(ApiError)
def _told(request: HttpRequest, error: ApiError) -> HttpResponse:
    faults = [Fault(field=name, message=message) for name, message in error.faults]
    body = ErrorOut(message=error.message, code=error.code, errors=faults)
    response = api.create_response(request, body, status=error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


@api.exception_handler(AuthenticationError)
def _unknown_token(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    message = _("Send a personal token that is in force: Authorization: Bearer gt_…")
    headers = {"WWW-Authenticate": 'Bearer realm="usage"'}
    return _told(request, ApiError(HTTPStatus.UNAUTHORIZED, "TOKEN_INVALID", message, headers=headers))


@api.exception_handler(ValidationError)
def _unusable(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return _told(request, unusable((_name(each["loc"]), str(each["msg"])) for each in error.errors))


def _name(place: Sequence[object]) -> str:
    """The parameter at ("query", "asked", name) or, one of several values, ("query", "asked", name, position)."""
    return str(place[2] if len(place) > 2 else place[-1])


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _told(request, ApiError(HTTPStatus.NOT_FOUND, "NOT_FOUND", str(error)))


@api.exception_handler(RedisError)
def _store_away(request: HttpRequest, error: RedisError) -> HttpResponse:
    message = _("The store that counts requests is away. Ask again in a moment.")
    headers = {"Retry-After": "5"}
    return _told(request, ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", message, headers=headers))


def _guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view of the API as the site serves it: open to those without a session, in no cache, wrong methods in JSON."""

    @login_not_required
    @never_cache
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        return _told(
            request,
            ApiError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                _("The usage API is for reading, by GET."),
                headers={"Allow": "GET"},
            ),
        )

    guarded.csrf_exempt = True  # type: ignore[attr-defined]
    return guarded


def _openapi(request: HttpRequest) -> HttpResponse:
    if request.method != "GET":
        return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED)
    return openapi_json(request, api)


def _urls() -> list[URLPattern]:
    described = path("openapi.json", _guarded(_openapi), name="openapi")
    patterns = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern)]
    for pattern in patterns:
        pattern.callback = _guarded(pattern.callback)
    return [described, *patterns]


# As `include` takes them.
urls = (_urls(), "api", "api")
