"""Makes what tests need. Everything has a default; name only what the test is about."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from allauth.account.models import EmailAddress

from accounts.models import Account, Membership, Notice, Role, User
from accounts.notice_kinds import NoticeKind
from accounts.notices import notice_raise
from accounts.permissions import Permission
from accounts.registration import account_register
from keys.models import Service
from keys.services import CreatedKey, key_create
from stats.events import UsageEvent
from stats.outcomes import Outcome
from stats.request_ids import request_id_at

# A Monday, 10:00 in Hanoi.
T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"

_numbers = itertools.count(1)


def make_account(email: str = "", **options: Any) -> Account:
    return account_register(email=email or f"user{next(_numbers)}@example.com", password=PASSWORD, **options)


def owner_of(account: Account) -> User:
    return account.memberships.get(role=Role.OWNER).user


def make_member(account: Account, role: str = "developer", email: str = "") -> Membership:
    """A user of that role in `account`, and in no other."""
    email = email or f"{role}{next(_numbers)}@example.com"
    user = User.objects.create_user(email, PASSWORD)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return Membership.objects.create(account=account, user=user, role=role)


def make_key(
    account: Account | None = None, type: str = "rest", restrictions: Iterable[str] = (), **options: Any
) -> CreatedKey:
    return key_create(
        account=account or make_account(),
        key_type=type,
        name=options.pop("name", f"Key {next(_numbers)}"),
        restrictions=restrictions,
        **options,
    )


def make_event(created: CreatedKey, service: str = "geocode", **overrides: Any) -> UsageEvent:
    outcome = overrides.pop("outcome", Outcome.ALLOWED)
    is_allowed = outcome is Outcome.ALLOWED
    at = overrides.pop("at", T0)
    fields: dict[str, Any] = {
        "at": at,
        "account_id": created.key.account_id,
        "key_id": created.key.pk,
        "service_id": Service.objects.get(slug=service).pk,
        "outcome": outcome,
        "units": int(is_allowed),
        "cost_micro_usd": 5_000 if is_allowed else 0,
        "ip": "203.0.113.7",
        "origin": "https://example.com",
        "request_id": str(request_id_at(at, secrets.randbits(74))),
    }
    return UsageEvent(**{**fields, **overrides})


def make_notice(account: Account, **overrides: Any) -> Notice:
    """By default of an origin that was first seen, for all members."""
    fields: dict[str, Any] = {
        "kind": NoticeKind.ORIGIN_FIRST_SEEN,
        "source": f"test:{next(_numbers)}",
        "facts": {"key": "Shop", "key_id": 1, "origin": "https://evil.example", "n_requests": 1_234},
        "permission": Permission.SEE,
        **overrides,
    }
    assert notice_raise(account=account, **fields)
    return Notice.objects.get(account=account, kind=fields["kind"], source=fields["source"])
