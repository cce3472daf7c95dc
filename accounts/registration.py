"""Makes a user whose e-mail address needs no verification, with an account: for operators and the demo."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import Account, User
from accounts.services import DEFAULT_PLAN, account_open


class EmailTaken(ValueError):
    """There is a user of that address already; `args[0]` says so."""


@transaction.atomic
def account_register(
    *, email: str, password: str | None, name: str = "", plan: str = DEFAULT_PLAN, is_staff: bool = False
) -> Account:
    """A new user and its account. Raises EmailTaken and Plan.DoesNotExist."""
    email = email.strip().lower()
    if User.objects.filter(email__iexact=email).exists():
        raise EmailTaken(f"There is a user {email} already.")
    user = User.objects.create_user(email, password, is_staff=is_staff, is_superuser=is_staff)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return account_open(user=user, name=name, plan=plan)
