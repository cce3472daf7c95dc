"""Who may ask the usage API: a personal token, in the scopes it was made for, as far as its owner's role still goes.

Errors are JSON as the gate's are: `message` and `code`, and the parameters at fault where there are any. The text of
a token is in no log and no error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import cast

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja import Schema
from ninja.security import HttpBearer

from accounts.models import Account, PersonalToken, TokenScope
from accounts.permissions import may
from accounts.tokens import PERMISSIONS, token_find
from goongdash.lib.clock import utc_now
from goongdash.rates import Rate


@dataclass(eq=False)
class ApiError(Exception):
    """What a caller is told instead of an answer. `faults` are parameters and what is wrong with each."""

    status: HTTPStatus
    code: str
    message: str
    faults: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class Fault(Schema):
    """A parameter that cannot be used."""

    field: str
    message: str


class ErrorOut(Schema):
    """Every answer that is not what was asked for. `errors` names the parameters at fault."""

    message: str
    code: str
    errors: list[Fault]


ERRORS = dict.fromkeys((401, 403, 404, 422, 429, 503), ErrorOut)


class TokenAuth(HttpBearer):
    """Lets in whoever shows a token with `scope` whose owner's role still allows it, so many times a minute."""

    def __init__(self, scope: TokenScope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> PersonalToken | None:
        now = utc_now()
        found = token_find(token, now)
        if found is None:
            return None
        _count(found, settings.USAGE_API_RATE, now)
        if self.scope not in found.scopes:
            raise _forbidden("SCOPE_MISSING", f"This token may not read {self.scope.label}: make one that may.")
        if not may(found.membership.role, PERMISSIONS[self.scope]):
            raise _forbidden("ROLE_FORBIDS", f"The role of the token's owner may not {PERMISSIONS[self.scope].value}.")
        return found


def account_of(request: HttpRequest) -> Account:
    """The account of the token that was shown."""
    return cast("PersonalToken", request.auth).membership.account  # type: ignore[attr-defined]


def unusable(faults: Iterable[tuple[str, str]]) -> ApiError:
    """422 for these parameters."""
    named = list(faults)
    message = " ".join(dict.fromkeys(text for _, text in named))
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "PARAMETERS_UNUSABLE", message, named)


def check_names(request: HttpRequest, params: type[Schema]) -> None:
    """Raises ApiError for a parameter that `params` does not have: a typing error would silently widen the answer."""
    known = {field.alias or name for name, field in params.model_fields.items()}
    unknown = sorted(set(request.GET) - known)
    if unknown:
        raise unusable((name, f"There is no parameter “{name[:40]}”.") for name in unknown)


def _forbidden(code: str, message: str) -> ApiError:
    return ApiError(HTTPStatus.FORBIDDEN, code, message)


def _count(token: PersonalToken, rate: Rate, now: datetime) -> None:
    """Counts the request in its window of the clock, at once for all processes. Raises ApiError beyond the rate."""
    epoch_s = int(now.timestamp())
    window = epoch_s // rate.window_s
    name = f"usage-api:{token.pk}:{window}"
    cache.add(name, 0, timeout=2 * rate.window_s)
    if cache.incr(name) <= rate.n:
        return
    wait_s = (window + 1) * rate.window_s - epoch_s
    raise ApiError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "RATE_LIMIT",
        f"A token may ask {rate} times. Ask again in {wait_s} s.",
        headers={"Retry-After": str(wait_s)},
    )
