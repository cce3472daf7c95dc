from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Account, Membership, Plan
from tests.factories import make_account, owner_of


@pytest.mark.django_db
def test_anonymous_is_sent_to_sign_in(client: Client) -> None:
    assertRedirects(client.get("/account"), "/account/login/?next=/account", fetch_redirect_response=False)


def test_user_without_an_account_finds_nothing(alice: Account, alice_client: Client) -> None:
    alice.memberships.all().delete()
    assert alice_client.get("/account").status_code == 404
    assert alice_client.post("/account", {"name": "Mine"}).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_wrong_method_is_refused(alice_client: Client, method: str) -> None:
    assert getattr(alice_client, method)("/account").status_code == 405


def test_page_shows_the_limits_of_the_account_s_plan(alice_client: Client) -> None:
    page = alice_client.get("/account").content.decode()
    limits = dict(re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", page))
    assert limits == {
        "Requests a day, each key": "1,000",
        "Requests a month": "30,000",
        "Map loads a month": "1,000",
        "Rate, each key and IP address": "5 a second",
        "Free credit": "$100 a month",
    }


def test_who_sees_the_bills_is_led_to_the_comparison_of_plans(alice: Account, alice_client: Client) -> None:
    alice.plan = Plan.objects.get(slug="pro")
    alice.save()
    page = alice_client.get("/account")
    assertContains(page, "You are on the Pro plan")
    assertContains(page, 'href="/billing#plans"')
    alice.memberships.update(role="developer")
    assertNotContains(alice_client.get("/account"), "/billing#plans")


def test_page_lists_the_members_and_no_one_else(alice: Account, alice_client: Client, charlie: Account) -> None:
    bob = owner_of(make_account("bob@example.com"))
    Membership.objects.create(account=alice, user=bob, role="billing")
    page = alice_client.get("/account")
    assertContains(page, "alice@example.com")
    assertContains(page, "bob@example.com")
    assertContains(page, "Billing</td>")
    assertNotContains(page, "charlie@example.com")


def test_page_leads_to_the_user_s_addresses_and_password(alice_client: Client) -> None:
    page = alice_client.get("/account")
    for url in ("/account/email/", "/account/password/change/"):
        assertContains(page, f'href="{url}"')
        assert alice_client.get(url).status_code == 200


@pytest.mark.parametrize("n_members", [1, 5])
def test_page_asks_the_database_as_often_for_many_members_as_for_one(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, n_members: int
) -> None:
    for _ in range(n_members - 1):
        Membership.objects.create(account=alice, user=owner_of(make_account()))
    # Session, user, account; members, invitations, the user's second factors; the bell.
    with django_assert_num_queries(7):
        assert alice_client.get("/account").status_code == 200


def test_owner_renames_the_account_and_no_other(alice: Account, alice_client: Client, charlie: Account) -> None:
    response = alice_client.post("/account", {"name": "  Bản đồ Việt  "}, follow=True)
    assertRedirects(response, "/account")
    assertContains(response, "name is saved")
    assert set(Account.objects.values_list("pk", "name")) == {(alice.pk, "Bản đồ Việt"), (charlie.pk, charlie.name)}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("x" * 10_000, "at most 100 characters"),
        ("a\x00b", "Null characters are not allowed."),
    ],
)
def test_bad_name_is_refused_in_words_and_kept_in_the_form(
    alice: Account, alice_client: Client, name: str, message: str
) -> None:
    response = alice_client.post("/account", {"name": name})
    assertContains(response, message, status_code=400)
    assert Account.objects.get().name == "Alice Maps"


def test_account_that_is_switched_off_is_told_so(alice: Account, alice_client: Client) -> None:
    assertNotContains(alice_client.get("/account"), "switched off")
    Account.objects.update(is_active=False)
    assertContains(alice_client.get("/account"), "switched off")
