"""Every role, a stranger and a visitor at every URL: who gets in, who is told 403, who 404, who signs in first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.invitations import invitation_create
from accounts.models import (
    Account,
    AuditEntry,
    Invitation,
    Membership,
    Notice,
    NoticeRead,
    PersonalToken,
    Role,
    TokenScope,
    User,
)
from accounts.permissions import Permission, may
from accounts.tokens import token_create
from keys.models import ApiKey, BlockedOrigin
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.services import key_revoke
from keys.switching import key_disable
from tests.accounts.access_table import OPEN, OPERATORS, ROWS, SIGNED_IN, Row, World
from tests.factories import make_account, make_event, make_key, make_member, make_notice, owner_of
from tests.road import store

pytestmark = pytest.mark.django_db

PEOPLE = [*Role.values, "stranger", "visitor"]


@pytest.fixture
def world(mailoutbox: list[EmailMessage]) -> World:
    return make_world()


def make_world() -> World:
    account = make_account("owner@example.com", name="Five People")
    for role in (Role.ADMIN, Role.DEVELOPER, Role.BILLING, Role.VIEWER):
        make_member(account, role, f"{role}@example.com")
    subject = make_member(account, Role.DEVELOPER, "subject@example.com")
    owner = account.memberships.get(role=Role.OWNER)
    invited = invitation_create(by=owner, email="invited@example.com", role=Role.VIEWER)
    assert invited.token
    created, (deleted, disabled, rotated) = make_key(account), (make_key(account).key for _ in range(3))
    event = make_event(created)
    store(event)
    key_revoke(key=deleted)
    key_disable(key=disabled)
    key_rotate(key=rotated, overlap=Overlap.DAY)
    notice = make_notice(account)
    made = token_create(member=subject, name="Theirs", scopes=[TokenScope.USAGE], expires_at=None)
    return World(
        account=account,
        key=created.key,
        deleted_key=deleted,
        disabled_key=disabled,
        rotated_key=rotated,
        request_id=event.request_id,
        member_id=subject.pk,
        invitation_id=invited.invitation.pk,
        token=invited.token,
        token_id=made.token.pk,
        notice_id=notice.pk,
    )


def client_of(person: str) -> Client:
    client = Client()
    if person == "stranger":
        client.force_login(owner_of(make_account("stranger@example.com")))
    elif person != "visitor":
        client.force_login(User.objects.get(email=f"{person}@example.com"))
    return client


def ask(client: Client, row: Row, world: World) -> int:
    url = reverse(row.name, args=row.args(world))
    headers = {"HX-Request": "true"} if row.htmx else {}
    return int(getattr(client, row.method)(url, row.data(world), headers=headers).status_code)


def named_patterns(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            within = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from named_patterns(pattern.url_patterns, within)
        else:
            yield f"{namespace}{pattern.name}"


def test_every_url_is_in_the_table() -> None:
    names = {name for name in named_patterns(get_resolver().url_patterns) if not name.startswith("admin:")}
    assert names == {row.name for row in ROWS} - {"admin:index"}


def expected(row: Row, person: str) -> int:
    """The status the table promises; 0 for any that lets in."""
    if person == "visitor":
        return row.status if row.needs == OPEN else 302
    if row.needs == OPERATORS:
        return 302
    if row.needs in {OPEN, SIGNED_IN}:
        return row.status if row.signed_in is None else row.signed_in
    if person == "stranger":
        # Where the URL names nothing of an account, it is that of the stranger's own.
        return 404 if row.is_of_account else row.status
    return row.status if may(person, Permission(row.needs)) else row.otherwise


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.name}")
def test_who_gets_what(world: World, row: Row) -> None:
    for person in PEOPLE:
        with transaction.atomic():
            check(row, person, world)
            transaction.set_rollback(True)


def check(row: Row, person: str, world: World) -> None:
    client, wanted = client_of(person), expected(row, person)
    before = state()
    status = ask(client, row, world)
    if wanted:
        assert status == wanted, person
    else:
        assert status not in {401, 403, 405, 500}, person
    if status in {403, 404} or (person == "visitor" and row.needs != OPEN):
        assert state() == before, person


def state() -> list[object]:
    """What a refused request must leave as it was."""
    return [
        sorted(Membership.objects.values_list("account", "user", "role", "mails_notices")),
        sorted(Account.objects.values_list("pk", "name", "asks_before_showing_keys")),
        sorted(ApiKey.objects.values_list("pk", "name", "version", "disabled_at", "revoked_at", "expires_at")),
        sorted(PersonalToken.objects.values_list("pk", "name")),
        BlockedOrigin.objects.count(),
        sorted(Invitation.objects.values_list("pk", "token_digest", "withdrawn_at")),
        sorted(Notice.objects.values_list("pk")),
        NoticeRead.objects.count(),
        AuditEntry.objects.count(),
    ]
