"""In Vietnamese, no page, error or mail says anything that has no translation."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.access_table import OPEN, ROWS, Row, World
from tests.accounts.second_factor import enrol
from tests.accounts.test_access_table import make_world
from tests.factories import PASSWORD
from tests.words import pseudo

pytestmark = pytest.mark.django_db

NOT_OURS = ("admin:", "api:", "healthz", "favicon", "home")
SHOWN = [row for row in ROWS if row.method == "get" and not row.name.startswith(NOT_OURS)]

BAD_ENTRIES = ["a b", "ftp://", "://example.com", "http:example.com", "http://example.com:0", "1.2.3.400", "10.0.0.1/8"]
ENTRIES = ["*", "*.vn", "http://example.com/*", "https://www.example.org/shop", "localhost", "10.0.0.0/8", "0.0.0.0/0"]
BAD_KEY: dict[str, object] = {
    "name": "x" * 101,
    "restrictions": BAD_ENTRIES,
    "rate_limit": "0",
    "requests_per_day": "many",
    "requests_per_month": "1000000000",
    "spend_cap_micro_usd": "much",
    "services": ["0"],
    "expires_at": "2000-01-01T00:00",
}
# What forms say to what they can't take: the URL's name and what is sent.
REFUSED: list[tuple[str, dict[str, object]]] = [
    ("account_login", {"login": "nobody@example.com", "password": "wrong"}),
    ("account_login", {}),
    ("account_signup", {"email": "not an address", "password1": "1"}),
    ("account_signup", {"email": "owner@example.com", "password1": "password"}),
    ("account_reset_password", {"email": "not an address"}),
    ("account_change_password", {"oldpassword": "wrong", "password1": "12345", "password2": "1"}),
    ("account_email", {"action_add": "", "email": "owner@example.com"}),
    ("account_email", {"action_remove": "", "email": "owner@example.com"}),
    ("account_reauthenticate", {"password": "wrong"}),
    ("accounts:account", {"name": ""}),
    ("accounts:account", {"name": "x" * 101}),
    ("accounts:invite", {"email": "not an address"}),
    ("accounts:invite", {"email": "admin@example.com", "role": "viewer"}),
    ("mfa_activate_totp", {"code": "000000"}),
    ("keys:create", {}),
    ("keys:create", BAD_KEY),
    ("keys:check_entries", {"restrictions": BAD_ENTRIES}),
    ("keys:check_list", {"restrictions": ENTRIES, "try_url": "https://www.example.com/shop", "try_ip": "203.0.113.7"}),
    ("keys:check_list", {"restrictions": [*ENTRIES, "1.2.3.400"], "try_url": "::", "try_ip": "nobody"}),
]


@pytest.fixture
def world(mailoutbox: list[EmailMessage]) -> World:
    cache.clear()
    return make_world()


def client_of(person: str) -> Client:
    client = Client(headers={"accept-language": "vi"})
    if person != "visitor":
        client.post("/account/login/", {"login": f"{person}@example.com", "password": PASSWORD})
    return client


def said(client: Client, url: str, data: Any = None, *, is_post: bool = False, is_htmx: bool = False) -> list[str]:
    headers = {"HX-Request": "true"} if is_htmx else {}
    ask = client.post if is_post else client.get
    response = ask(url, data or {}, follow=is_post, headers=headers)
    if not response.get("Content-Type", "").startswith("text/html"):
        return []
    return pseudo.untranslated_on(response.content.decode())


@pytest.mark.parametrize("person", ["owner", "viewer", "visitor"])
def test_no_page_says_what_has_no_translation(world: World, monkeypatch: pytest.MonkeyPatch, person: str) -> None:
    client = client_of(person)
    if person == "owner":
        enrol(client)
    pseudo.speak(monkeypatch)
    wrong = {row.name: found for row in SHOWN if (found := _said_at(client, row, world))}
    assert wrong == {}


def _said_at(client: Client, row: Row, world: World) -> list[str]:
    if row.needs == OPEN and row.name in {"account_logout"}:
        return []
    return said(client, reverse(row.name, args=row.args(world)), row.data(world), is_htmx=row.htmx)


def test_no_form_refuses_in_words_that_have_no_translation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pseudo.speak(monkeypatch)
    wrong: dict[str, list[str]] = {}
    for name, data in REFUSED:
        client = client_of("visitor" if name in {"account_login", "account_signup"} else "owner")
        found = said(client, reverse(name), data, is_post=True)
        wrong |= {f"{name} {data}": found} if found else {}
    assert wrong == {}


def test_no_mail_says_what_has_no_translation(
    world: World, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    User.objects.update(language="vi")
    pseudo.speak(monkeypatch)
    owner, visitor = client_of("owner"), client_of("visitor")
    owner.post(reverse("accounts:invite"), {"email": "new@example.com", "role": "viewer"})
    client_of("admin").post(reverse("account_email"), {"action_add": "", "email": "second@example.com"})
    enrol(owner)
    new = PASSWORD[::-1]
    owner.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    visitor.post(reverse("account_reset_password"), {"email": "viewer@example.com"})
    visitor.post(reverse("account_reset_password"), {"email": "nobody@example.com"})
    visitor.post(reverse("account_signup"), {"email": "signs.up@example.com", "password1": PASSWORD})
    visitor.post(reverse("account_signup"), {"email": "viewer@example.com", "password1": PASSWORD})
    assert len(mailoutbox) >= 7, [mail.subject for mail in mailoutbox]
    said = {mail.subject: pseudo.untranslated(f"{mail.subject}\n{mail.body}") for mail in mailoutbox}
    assert {subject: words for subject, words in said.items() if words} == {}


def test_what_is_not_translated_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page = '<p title="Here">⟦Xin chào⟧ <b>you</b> owner@example.com</p><a aria-label="⟦Khóa⟧">5</a>'
    assert pseudo.untranslated_on(page) == ["you", "Here"]
