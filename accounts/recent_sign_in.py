"""Asks for a recent sign-in before a key's text is shown, where the account wants that."""

from __future__ import annotations

import time
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import View, account_or_404


def recent_sign_in_where_asked(view: View) -> View:
    """401 with `X-Sign-In-At`, the page to sign in at once more, for a script to go to and come back from."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if account_or_404(request).asks_before_showing_keys and not signed_in_recently(request):
            words = _("Sign in once more to see this key.")
            headers = {"X-Sign-In-At": _sign_in_url(request)}
            return HttpResponse(words, status=HTTPStatus.UNAUTHORIZED, content_type="text/plain", headers=headers)
        return view(request, *args, **kwargs)

    return cast("View", guarded)


def signed_in_recently(request: HttpRequest) -> bool:
    """Whether the user proved who they are within the last ACCOUNT_REAUTHENTICATION_TIMEOUT seconds."""
    records = get_authentication_records(request, request.user)
    newest = max((record["at"] for record in records), default=0)
    return bool(time.time() - newest < app_settings.REAUTHENTICATION_TIMEOUT)


def _sign_in_url(request: HttpRequest) -> str:
    ways = get_adapter().get_reauthentication_methods(request.user)
    return str(ways[0]["url"]) if ways else reverse("account_login")
