"""The access helper of every view: the caller's own account, or 404."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from accounts.models import Account


def account_or_404(request: HttpRequest) -> Account:
    """The account the signed-in user works in. Raises Http404 for a user who is in none."""
    account: Account | None = getattr(request, "account", None)
    if not account:
        raise Http404("You are not a member of any account.")
    return account
