from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.models import ApiKey
from keys.services import key_revoke
from tests.factories import make_account, make_key, make_member, owner_of

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

HTMX = {"HX-Request": "true"}
PAGE_URLS = ["/keys", "/keys/new", "/keys/check-entry", "/keys/1/text", "/keys/1/edit", "/keys/1/delete"]


def delete(client: Client, key: ApiKey, **headers: str) -> Response:
    return client.post(reverse("keys:delete", args=[key.pk]), headers={**HTMX, **headers})


@pytest.mark.django_db
@pytest.mark.parametrize("url", PAGE_URLS)
def test_anonymous_is_sent_to_sign_in(client: Client, url: str) -> None:
    assertRedirects(client.get(url), f"/account/login/?next={url}", fetch_redirect_response=False)


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/keys", "/keys/new", "/keys/check-entry"])
def test_user_without_an_account_finds_nothing(client: Client, alice: Account, url: str) -> None:
    user = owner_of(alice)
    alice.memberships.all().delete()
    client.force_login(user)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("post", "/keys"),
        ("delete", "/keys/new"),
        ("post", "/keys/1/text"),
        ("put", "/keys/1/delete"),
        ("post", "/keys/check-entry"),
        ("get", "/keys/check-entries"),
        ("get", "/keys/check-list"),
        ("put", "/keys/1/edit"),
    ],
)
def test_wrong_method_is_refused(alice_client: Client, method: str, url: str) -> None:
    assert getattr(alice_client, method)(url).status_code == 405


@pytest.mark.parametrize("key_id", ["0", "999999999", "9" * 40])
@pytest.mark.parametrize("page", ["text", "edit", "delete"])
def test_key_that_is_not_there_is_not_found(alice_client: Client, page: str, key_id: str) -> None:
    assert alice_client.get(f"/keys/{key_id}/{page}", headers=HTMX).status_code == 404


# ---- The list ----


def test_account_without_keys_is_told_the_next_step(alice_client: Client, settings: Settings) -> None:
    settings.GATE_PUBLIC_URL = "https://api.example.vn"
    page = alice_client.get("/keys")
    assertContains(page, "Create your first key")
    assertContains(page, "https://api.example.vn/Geocode?address=91+Trung+Kinh&amp;api_key=YOUR_KEY")
    assertNotContains(page, "<table")


def test_list_shows_the_account_s_keys_newest_first_and_no_stranger_s(alice: Account, alice_client: Client) -> None:
    make_key(alice, name="First", description="For the shop")
    make_key(alice, name="Second", type="tiles")
    make_key(name="Not Alice's")
    page = alice_client.get("/keys")
    assert re.findall(r'class="cell-title">(.*?)<', page.content.decode()) == ["Second", "First"]
    assertContains(page, "For the shop")
    assertContains(page, "Map tiles key")


def test_list_never_holds_a_key_s_text(alice: Account, alice_client: Client) -> None:
    created = make_key(alice)
    page = alice_client.get("/keys")
    assertNotContains(page, created.text)
    assertContains(page, created.key.masked_text)


def test_deleted_key_is_not_listed(alice: Account, alice_client: Client) -> None:
    key_revoke(key=make_key(alice, name="Gone").key)
    assertNotContains(alice_client.get("/keys"), "Gone")


def test_list_shows_restrictions_at_a_glance(alice: Account, alice_client: Client) -> None:
    make_key(alice, restrictions=["a.example.com", "b.example.com", "c.example.com", "203.0.113.7"])
    page = alice_client.get("/keys").content.decode()
    assert "http*://a.example.com/*" in page
    assert 'aria-label="Show 2 more"' in page
    assert "Anywhere" not in page


def test_key_without_restrictions_is_said_to_work_from_anywhere(alice: Account, alice_client: Client) -> None:
    make_key(alice)
    assertContains(alice_client.get("/keys"), "Anywhere")


def test_created_is_a_day_of_the_installation_s_zone(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    # Still the 22nd in London, the 23rd in Hanoi.
    ApiKey.objects.filter(pk=key.pk).update(created_at=datetime(2026, 11, 22, 18, 30, tzinfo=UTC))
    page = alice_client.get("/keys")
    assertContains(page, "23 Nov 2026")
    assertContains(page, "23 November 2026, 01:30")


@pytest.mark.parametrize(
    ("field", "ago", "state"),
    [("disabled_at", timedelta(0), "Disabled"), ("expires_at", timedelta(days=1), "Expired")],
)
def test_state_of_a_key_is_shown(alice: Account, alice_client: Client, field: str, ago: timedelta, state: str) -> None:
    key = make_key(alice).key
    assertContains(alice_client.get("/keys"), "Active")
    ApiKey.objects.filter(pk=key.pk).update(**{field: utc_now() - ago})
    assertContains(alice_client.get("/keys"), state)
    assertNotContains(alice_client.get("/keys"), "Active")


@pytest.mark.parametrize("n_keys", [1, 3, 12])
def test_list_asks_the_database_as_often_for_many_keys_as_for_one(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, n_keys: int
) -> None:
    for _ in range(n_keys):
        make_key(alice, restrictions=["example.com", "203.0.113.7"])
    with django_assert_num_queries(
        8
    ):  # Session, user, account; number of keys, keys, restrictions, services; the bell.
        assert alice_client.get("/keys").status_code == 200


def test_htmx_gets_the_fragment_that_the_page_includes(alice: Account, alice_client: Client) -> None:
    make_key(alice, name="Storefront")
    page, fragment = alice_client.get("/keys"), alice_client.get("/keys", headers=HTMX)
    assert fragment.content.decode().strip() in page.content.decode()
    assert fragment.content.strip().startswith(b"<section")
    assert "HX-Request" in page["Vary"]
    assert "HX-Request" in fragment["Vary"]


def test_pages_hold_fifty_keys_and_keep_the_search(alice: Account, alice_client: Client) -> None:
    for number in range(51):
        make_key(alice, name=f"Shop & map {number:02}")
    first = alice_client.get("/keys", {"q": "shop & map"}).content.decode()
    assert first.count('class="cell-title"') == 50
    [link] = re.findall(r'rel="next" href="(.*?)"', first)
    second = alice_client.get(link.replace("&amp;", "&")).content.decode()
    assert re.findall(r'class="cell-title">(.*?)<', second) == ["Shop &amp; map 00"]
    assert "51 to 51 of 51" in second


@pytest.mark.parametrize("page", ["0", "-1", "99", "x", "9" * 50])
def test_page_that_is_not_there_becomes_one_that_is(alice: Account, alice_client: Client, page: str) -> None:
    make_key(alice, name="Storefront")
    assertContains(alice_client.get("/keys", {"page": page}), "Storefront")


@pytest.mark.parametrize(
    ("search", "found"),
    [("store", True), ("CỬA HÀNG", True), ("gr_", True), ("nothing like it", False), ("%", False), ("_ore", False)],
)
def test_search_looks_into_names_descriptions_and_visible_parts(
    alice: Account, alice_client: Client, search: str, found: bool
) -> None:
    make_key(alice, name="Storefront", description="CỬA HÀNG số 1")
    page = alice_client.get("/keys", {"q": search})
    assert ("Storefront" in page.content.decode()) is found
    assert ("No key like that" in page.content.decode()) is not found


@pytest.mark.parametrize("search", ["\x00", "x" * 10_000])
def test_search_that_cannot_be_is_no_search(alice: Account, alice_client: Client, search: str) -> None:
    make_key(alice, name="Storefront")
    assertContains(alice_client.get("/keys", {"q": search}), "Storefront")


def test_names_are_shown_as_text_and_never_as_markup(alice: Account, alice_client: Client) -> None:
    make_key(alice, name="<script>alert(1)</script>", description='"><img src=x>')
    page = alice_client.get("/keys")
    assertNotContains(page, "<script>alert")
    assertNotContains(page, "<img src=x>")


# ---- Show and copy ----


def test_owner_gets_the_whole_text_and_no_cache_keeps_it(alice: Account, alice_client: Client) -> None:
    created = make_key(alice)
    response = alice_client.get(reverse("keys:reveal", args=[created.key.pk]))
    assert response.content.decode() == created.text
    assert response["Content-Type"] == "text/plain"
    assert "no-store" in response["Cache-Control"]


def test_stranger_does_not_find_the_key(alice: Account, charlie_client: Client) -> None:
    key = make_key(alice).key
    assert charlie_client.get(reverse("keys:reveal", args=[key.pk])).status_code == 404
    assert charlie_client.get(reverse("keys:delete", args=[key.pk]), headers=HTMX).status_code == 404
    assert delete(charlie_client, key).status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


def test_member_of_the_account_may_see_its_keys(alice: Account, charlie: Account) -> None:
    bob = owner_of(make_account("bob@example.com"))
    bob.memberships.all().delete()
    alice.memberships.create(user=bob, role="developer")
    client = Client()
    client.force_login(bob)
    created = make_key(alice)
    assert client.get(reverse("keys:reveal", args=[created.key.pk])).content.decode() == created.text


def test_deleted_key_is_not_shown_again(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    key_revoke(key=key)
    assert alice_client.get(reverse("keys:reveal", args=[key.pk])).status_code == 404


def test_key_whose_secret_is_lost_says_so(alice: Account, alice_client: Client, settings: Settings) -> None:
    key = make_key(alice).key
    settings.KEY_ENCRYPTION_SECRETS = ["another secret of at least 32 characters"]
    response = alice_client.get(reverse("keys:reveal", args=[key.pk]))
    assert response.status_code == 409
    assert response.content.decode().startswith("This key cannot be shown")


# ---- Delete ----


def test_delete_asks_first_and_names_the_key(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Storefront").key
    dialog = alice_client.get(reverse("keys:delete", args=[key.pk]), headers=HTMX)
    assertContains(dialog, "Storefront")
    assertContains(dialog, "refused at once")
    key.refresh_from_db()
    assert key.revoked_at is None


def test_delete_revokes_that_key_only_and_takes_its_row_away(alice: Account, alice_client: Client) -> None:
    key, other = make_key(alice, name="Storefront").key, make_key(alice, name="Other").key
    page = delete(alice_client, key).content.decode()
    assert list(ApiKey.objects.filter(revoked_at=None)) == [other]
    assert ApiKey.objects.count() == 2
    assert "“Storefront” is deleted." in page
    assert f'id="key-{other.pk}"' in page
    assert f'id="key-{key.pk}"' not in page


def test_delete_of_the_last_key_leads_back_to_the_first_step(alice: Account, alice_client: Client) -> None:
    assertContains(delete(alice_client, make_key(alice).key), "Create your first key")


def test_delete_in_a_second_window_is_harmless(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Storefront").key
    delete(alice_client, key)
    key.refresh_from_db()
    revoked_at = key.revoked_at
    for response in (
        delete(alice_client, key),
        alice_client.get(reverse("keys:delete", args=[key.pk]), headers=HTMX),
    ):
        assertContains(response, "“Storefront” was deleted before.")
    key.refresh_from_db()
    assert key.revoked_at == revoked_at


def test_delete_keeps_the_search_that_the_page_shows(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Shop 1").key
    make_key(alice, name="Shop 2")
    make_key(alice, name="Other")
    page = delete(alice_client, key, **{"HX-Current-URL": "http://testserver/keys?q=shop"})
    assertContains(page, "Shop 2")
    assertNotContains(page, "Other")


# ---- A member who may look only ----


def test_who_may_look_only_sees_the_keys_and_no_button_that_changes_or_shows_one(
    alice: Account, alice_client: Client
) -> None:
    key = make_key(alice, name="Storefront").key
    viewer = Client()
    viewer.force_login(make_member(alice, "viewer").user)
    acts = ["reveal", "edit", "delete"]
    for client, n in ((alice_client, 1), (viewer, 0)):
        page = client.get("/keys").content.decode()
        assert "Storefront" in page
        assert [bool(page.count(reverse(f"keys:{act}", args=[key.pk]))) for act in acts] == [bool(n)] * 3
        assert page.count(reverse("keys:create")) == n


def test_who_may_look_only_is_not_asked_to_create_the_first_key(alice: Account) -> None:
    viewer = Client()
    viewer.force_login(make_member(alice, "viewer").user)
    page = viewer.get("/keys")
    assertContains(page, "No keys yet")
    assertNotContains(page, reverse("keys:create"))
