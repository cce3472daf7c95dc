"""The request as views get it, after the middleware: for type checkers."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Membership, User


class SiteRequest(HttpRequest):
    """A request of a signed-in user. `htmx` is true for a request that htmx made."""

    user: User
    htmx: HtmxDetails
    memberships: list[Membership]
