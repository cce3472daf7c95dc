"""Which of a user's accounts they work in: remembered in the session, checked at every request.

An account that the user is no member of (any more) is never the current one; then it is their oldest.
"""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import Account, Membership

_SESSION_KEY = "account_id"
# What a page sends along, so that a form filled in for one account cannot be saved in another: the user may
# have changed accounts in another window.
HEADER = "X-Account"
FIELD = "account"


def current_membership(request: HttpRequest) -> Membership | None:
    memberships: list[Membership] = request.memberships  # type: ignore[attr-defined]
    chosen = request.session.get(_SESSION_KEY) if memberships else None
    return next((each for each in memberships if each.account_id == chosen), next(iter(memberships), None))


def work_in(request: HttpRequest, account: Account) -> None:
    """From the next request on, `account` is the user's current one, where they are a member of it."""
    request.session[_SESSION_KEY] = account.pk


def is_from_another_account(request: HttpRequest, membership: Membership) -> bool:
    """Whether a change comes from a page of another account than the current one."""
    if request.method in {"GET", "HEAD"}:
        return False
    named = request.headers.get(HEADER) or request.POST.get(FIELD)
    return bool(named) and named != str(membership.account_id)
