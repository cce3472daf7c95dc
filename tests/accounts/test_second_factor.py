"""Two-step sign-in, passkeys, sessions, and the sign-in asked for before a key is shown."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertRedirects

from accounts.models import Account, AuditEntry, Role
from accounts.vault import decrypt, encrypt
from tests.accounts.second_factor import client_signed_in, code_of, enrol
from tests.factories import PASSWORD, make_key, make_member, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_limit_is_reached_yet() -> None:
    cache.clear()


@pytest.fixture
def signed_in(alice: Account) -> Client:
    """Signed in with the password, just now."""
    return client_signed_in("alice@example.com")


def test_app_is_set_up_with_a_code_and_recovery_codes_are_shown(signed_in: Client, alice: Account) -> None:
    _, response = enrol(signed_in)
    assertRedirects(response, reverse("mfa_view_recovery_codes"))
    assertContains(response, "10 of 10 are left")
    assertContains(signed_in.get("/account"), 'Two-step sign-in <span class="state state-good">On</span>')
    assert {each.type for each in Authenticator.objects.all()} == {"totp", "recovery_codes"}


def test_wrong_code_is_told_and_sets_up_nothing(signed_in: Client) -> None:
    signed_in.post("/account/reauthenticate/", {"password": PASSWORD})
    secret = signed_in.get(reverse("mfa_activate_totp")).context["form"].secret
    response = signed_in.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assertContains(response, "Incorrect code.")
    assert response.context["form"].secret == secret
    assert not Authenticator.objects.exists()


def test_setting_up_asks_for_the_password_again(signed_in: Client) -> None:
    url = reverse("mfa_activate_totp")
    assertRedirects(signed_in.get(url), f"/account/reauthenticate/?next={url.replace('/', '%2F')}")


def test_sign_in_then_takes_the_second_step(signed_in: Client) -> None:
    secret, _ = enrol(signed_in)
    client = Client()
    response = client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD}, follow=True)
    assertContains(response, "Second step")
    assert client.get("/keys").status_code == 302
    assertContains(client.post(reverse("mfa_authenticate"), {"code": "000000"}), "Incorrect code.")
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret, later=1)})
    assert client.get("/keys").status_code == 200


def test_recovery_code_lets_in_once(signed_in: Client) -> None:
    enrol(signed_in)
    code = signed_in.get(reverse("mfa_view_recovery_codes")).context["unused_codes"][0]
    for is_in in (True, False):
        client = Client()
        client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert (client.get("/keys").status_code == 200) is is_in


def test_older_encryption_secrets_still_decrypt(settings: Settings) -> None:
    settings.KEY_ENCRYPTION_SECRETS = ["o" * 40]
    old = encrypt("a secret")
    settings.KEY_ENCRYPTION_SECRETS = ["n" * 40, "o" * 40]
    assert decrypt(old) == "a secret"


def test_those_who_manage_members_see_who_has_a_second_step(signed_in: Client, alice: Account) -> None:
    enrol(signed_in)
    viewer = make_member(alice, Role.VIEWER)
    rows = signed_in.get("/account").context["members"]
    assert [row.has_second_factor for row in rows] == [True, False]
    client = Client()
    client.force_login(viewer.user)
    assert {row.has_second_factor for row in client.get("/account").context["members"]} == {None}


def test_key_is_shown_without_further_ado_unless_the_account_asks(alice: Account, alice_client: Client) -> None:
    key = make_key(alice)
    url = reverse("keys:reveal", args=[key.key.pk])
    assert alice_client.get(url).content.decode() == key.text
    alice_client.post(reverse("accounts:security"), {"asks_before_showing_keys": "on"})
    response = alice_client.get(url)
    assert (response.status_code, response["X-Sign-In-At"]) == (401, "/account/reauthenticate/")
    assert key.text not in response.content.decode()
    alice_client.post("/account/reauthenticate/", {"password": PASSWORD})
    assert alice_client.get(url).content.decode() == key.text
    entry = AuditEntry.objects.get(action="account.security_changed")
    assert entry.changes == {"asks before showing keys": [False, True]}


def test_sign_in_is_recent_for_five_minutes(signed_in: Client, alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(alice)
    Account.objects.update(asks_before_showing_keys=True)
    url, now = reverse("keys:reveal", args=[key.key.pk]), time.time()
    for later_s, status in ((290, 200), (310, 401)):
        monkeypatch.setattr("accounts.recent_sign_in.time.time", lambda later_s=later_s: now + later_s)
        assert signed_in.get(url).status_code == status


def test_foreign_key_is_404_before_any_sign_in_is_asked_for(alice_client: Client, charlie: Account) -> None:
    key = make_key(charlie).key
    assert alice_client.get(reverse("keys:reveal", args=[key.pk])).status_code == 404


def test_other_sessions_are_listed_and_ended(signed_in: Client, alice: Account) -> None:
    other = Client(headers={"User-Agent": "Another browser"})
    other.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    assertContains(signed_in.get(reverse("usersessions_list")), "Another browser")
    assert other.get("/keys").status_code == 200
    response = signed_in.post(reverse("usersessions_list"), follow=True)
    assertContains(response, "You are signed out everywhere else.")
    assert other.get("/keys").status_code == 302
    assert signed_in.get("/keys").status_code == 200
    assert UserSession.objects.filter(user=owner_of(alice)).count() == 1
    assert AuditEntry.objects.filter(account=alice, action="sign_in.sessions_ended").count() == 1


def test_sessions_of_others_are_neither_seen_nor_ended(signed_in: Client, charlie: Account) -> None:
    other = Client(headers={"User-Agent": "A stranger"})
    other.post("/account/login/", {"login": "charlie@example.com", "password": PASSWORD})
    assert "A stranger" not in signed_in.get(reverse("usersessions_list")).content.decode()
    signed_in.post(reverse("usersessions_list"))
    assert other.get("/keys").status_code == 200
