"""Which account a member of several works in, and that no form is saved in the wrong one."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Account, Role
from keys.models import ApiKey
from tests.factories import make_account, make_key, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def both(alice: Account, charlie: Account) -> Client:
    """A developer in Alice's account who is a viewer in Charlie's."""
    bob = make_member(alice, Role.DEVELOPER, "bob@example.com")
    charlie.memberships.create(user=bob.user, role=Role.VIEWER)
    client = Client()
    client.force_login(bob.user)
    return client


def switch(client: Client, account: object) -> int:
    return client.post(reverse("accounts:switch"), {"account": account}).status_code


def test_first_account_is_current_until_another_is_chosen(both: Client, alice: Account, charlie: Account) -> None:
    make_key(alice, name="Of Alice")
    make_key(charlie, name="Of Charlie")
    assertContains(both.get("/keys"), "Of Alice")
    response = both.post(reverse("accounts:switch"), {"account": charlie.pk}, follow=True)
    assertRedirects(response, "/keys")
    assertContains(response, "You are in Charlie now.")
    assertContains(both.get("/keys"), "Of Charlie")
    assertNotContains(both.get("/keys"), "Of Alice")


def test_role_is_that_in_the_current_account(both: Client, charlie: Account) -> None:
    assert both.get("/keys/check-entry").status_code == 200
    switch(both, charlie.pk)
    assert both.get("/keys/check-entry").status_code == 403


def test_menu_offers_the_other_accounts_only(both: Client, alice: Account, charlie: Account) -> None:
    page = both.get("/keys")
    assertContains(page, f'name="account" value="{charlie.pk}"')
    assertNotContains(page, f'name="account" value="{alice.pk}"')


@pytest.mark.parametrize("wanted", ["", "x", "0", "-1", "9" * 30, "1e3"])
def test_account_that_is_none_is_404(both: Client, wanted: str) -> None:
    assert switch(both, wanted) == 404


def test_stranger_cannot_switch_into_an_account(alice_client: Client, charlie: Account) -> None:
    assert switch(alice_client, charlie.pk) == 404
    assertContains(alice_client.get("/account"), "Alice Maps")


def test_account_one_was_removed_from_is_current_no_longer(both: Client, alice: Account, charlie: Account) -> None:
    switch(both, charlie.pk)
    charlie.memberships.filter(role=Role.VIEWER).delete()
    assert both.get("/keys").context["account"] == alice


def test_session_that_names_a_foreign_account_is_not_believed(alice_client: Client, charlie: Account) -> None:
    session = alice_client.session
    session["account_id"] = charlie.pk
    session.save()
    assertContains(alice_client.get("/account"), "Alice Maps")


def test_form_of_another_account_is_saved_nowhere(both: Client, alice: Account, charlie: Account) -> None:
    switch(both, charlie.pk)  # In another window.
    data, headers = {"key_type": "rest", "name": "Wrong place"}, {"HX-Request": "true", "X-Account": str(alice.pk)}
    assert both.post("/keys/new", data, headers=headers).status_code == 409
    response = both.post("/account", {"name": "Wrong", "account": alice.pk})
    assertContains(response, "You are in another account now", status_code=409)
    assert not ApiKey.objects.exists()
    assert set(Account.objects.values_list("name", flat=True)) == {"Alice Maps", "Charlie"}


def test_page_names_its_account_to_htmx(alice_client: Client, alice: Account) -> None:
    assertContains(alice_client.get("/keys"), f'"X-Account": "{alice.pk}"')


def test_owner_opens_no_second_account(alice_client: Client) -> None:
    response = alice_client.post(reverse("accounts:open_own"), follow=True)
    assertContains(response, "You own an account already.")
    assert Account.objects.count() == 1


def test_who_owns_none_opens_one_and_works_in_it(both: Client) -> None:
    make_account()
    response = both.post(reverse("accounts:open_own"), follow=True)
    assertContains(response, "Your own account is open.")
    assert response.context["account"].name == "bob"
