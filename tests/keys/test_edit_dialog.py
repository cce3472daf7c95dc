"""The dialog that edits a key, and the tester in it: what it shows, refuses, stores, and does in two windows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Account
from keys.last_use import LastUse, key_uses_note
from keys.limits import KeyLimits
from keys.models import ApiKey, Restriction, Service
from keys.services import key_revoke
from tests.factories import T0, make_key

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

HTMX = {"HX-Request": "true"}


def dialog(client: Client, key: ApiKey) -> Response:
    return client.get(reverse("keys:edit", args=[key.pk]), headers=HTMX)


def save(client: Client, key: ApiKey, *, version: object = 1, **fields: object) -> Response:
    data = {"version": version, "name": key.name, **fields}
    return client.post(reverse("keys:edit", args=[key.pk]), data, headers=HTMX)


def test_dialog_shows_what_is_stored(alice: Account, alice_client: Client) -> None:
    geocode = Service.objects.get(slug="geocode")
    key = make_key(
        alice,
        name="Storefront",
        description="Bản đồ",
        restrictions=["example.com", "203.0.113.7"],
        services=[geocode.pk],
        limits=KeyLimits(2, 100, 1_000, 12_500_000),
        expires_at=datetime(2027, 1, 31, 2, tzinfo=UTC),
    ).key
    page = dialog(alice_client, key).content.decode()
    assert 'value="Storefront"' in page
    assert "Bản đồ</textarea>" in page
    assert re.findall(r'name="restrictions" value="(.*?)"', page) == ["http*://example.com/*", "203.0.113.7"]
    assert re.findall(r'name="services" value="(\d+)" checked', page) == [str(geocode.pk)]
    assert 'name="version" value="1"' in page
    for value in ("2", "100", "1000", "12.50", "2027-01-31T09:00"):
        assert f'value="{value}"' in page
    assert "key_type" not in page
    assert re.search(r'<details class="key-limits" open>', page)


def test_dialog_without_htmx_is_the_list(alice: Account, alice_client: Client) -> None:
    assertRedirects(alice_client.get(reverse("keys:edit", args=[make_key(alice).key.pk])), "/keys")


def test_save_stores_what_was_typed_and_shows_the_list(alice: Account, alice_client: Client) -> None:
    key, other = make_key(alice, name="Storefront").key, make_key(alice, name="Other").key
    response = save(
        alice_client,
        key,
        name="Cửa hàng",
        restrictions=["Example.com", ""],
        requests_per_day="200",
        spend_cap_micro_usd="5",
        expires_at="2999-01-31T09:00",
    )
    key.refresh_from_db()
    assert response.status_code == 200
    assert (key.name, key.requests_per_day, key.spend_cap_micro_usd) == ("Cửa hàng", 200, 5_000_000)
    assert key.expires_at == datetime(2999, 1, 31, 2, tzinfo=UTC)
    assert list(key.restrictions.values_list("text", flat=True)) == ["http*://example.com/*"]
    assertContains(response, "“Cửa hàng” is saved, and holds at once.")
    assertContains(response, f'id="key-{other.pk}"')
    assertContains(response, "$5 a month")
    other.refresh_from_db()
    assert other.version == 1


def test_save_keeps_what_the_list_shows(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Shop 1").key
    make_key(alice, name="Other")
    url = reverse("keys:edit", args=[key.pk])
    headers = {**HTMX, "HX-Current-URL": "http://testserver/keys?q=shop"}
    page = alice_client.post(url, {"version": 1, "name": "Shop 2"}, headers=headers)
    assertContains(page, "Shop 2")
    assertNotContains(page, "Other")


def test_nothing_changed_is_said_so(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Storefront").key
    assertContains(save(alice_client, key), "nothing was changed")
    key.refresh_from_db()
    assert key.version == 1


def test_bad_input_is_named_in_its_place_and_nothing_typed_is_lost(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Storefront").key
    response = save(
        alice_client, key, name="New", restrictions=["good.example.com", "bad host"], requests_per_day="2000"
    )
    assert response.status_code == 422
    page = response.content.decode()
    assert 'value="New"' in page
    assert re.findall(r'name="restrictions" value="(.*?)"', page) == ["good.example.com", "bad host"]
    assert 'value="2000"' in page
    assert "The plan allows 1,000" in page
    assert re.search(r'<details class="key-limits" open>', page)
    key.refresh_from_db()
    assert (key.name, key.version, Restriction.objects.count()) == ("Storefront", 1, 0)


def test_second_window_is_told_where_it_differs_and_decides(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Storefront").key
    save(alice_client, key, name="First", description="Same")
    late = save(alice_client, key, name="Second", description="Same", restrictions=["second.example.com"])
    assert late.status_code == 422
    assertContains(late, "This key was changed in another window meanwhile.", status_code=422)
    assertContains(late, "stored in: API Key Name, Web sites and IP addresses.", status_code=422)
    assertContains(late, 'value="Second"', status_code=422)
    assertContains(late, 'name="version" value="2"', status_code=422)
    key.refresh_from_db()
    assert (key.name, Restriction.objects.count()) == ("First", 0)

    save(alice_client, key, version=2, name="Second", description="Same", restrictions=["second.example.com"])
    key.refresh_from_db()
    assert (key.name, Restriction.objects.count()) == ("Second", 1)


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 50])
def test_save_that_does_not_say_what_was_edited_is_asked_again(
    alice: Account, alice_client: Client, version: str
) -> None:
    key = make_key(alice, name="Storefront").key
    assert save(alice_client, key, version=version, name="New").status_code == 422
    key.refresh_from_db()
    assert key.name == "Storefront"


def test_stranger_does_not_find_the_key(alice: Account, charlie_client: Client) -> None:
    key = make_key(alice, name="Storefront").key
    assert dialog(charlie_client, key).status_code == 404
    assert save(charlie_client, key, name="Mine").status_code == 404
    key.refresh_from_db()
    assert key.name == "Storefront"


def test_deleted_key_is_not_found(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    key_revoke(key=key)
    assert dialog(alice_client, key).status_code == 404
    assert save(alice_client, key, name="Alive").status_code == 404


# ---- The tester ----


def ask(client: Client, **asked: object) -> Response:
    return client.post(reverse("keys:check_list"), asked, headers=HTMX)


def test_tester_says_for_each_entry_why_not(alice_client: Client) -> None:
    page = ask(
        alice_client,
        restrictions=["example.com", "203.0.113.7"],
        try_url="https://www.example.com/x",
        try_ip="10.0.0.1",
    )
    for words in (
        "Refused",
        "No entry fits; one would be enough.",
        "<code>https://www.example.com/</code>",
        "www.example.com is a subdomain, and example.com covers none.",
        "10.0.0.1 is another address.",
    ):
        assertContains(page, words)
    assert (ApiKey.objects.count(), Restriction.objects.count()) == (0, 0)


def test_tester_names_the_entry_that_matches(alice_client: Client) -> None:
    page = ask(alice_client, restrictions=["a.example.com", "*.example.com"], try_url="https://www.example.com/")
    assertContains(page, "“http*://*.example.com/*” lets it pass.")
    assert page.content.decode().count("is-match") == 1


def test_whole_url_is_compared_where_the_page_sends_it(alice_client: Client) -> None:
    asked = {"restrictions": ["a.example.com/shop/*"], "try_url": "https://a.example.com/shop/1"}
    assertContains(ask(alice_client, **asked), "Refused")
    assertContains(ask(alice_client, **asked, try_whole="on"), "Passes")


def test_request_without_an_origin_passes_where_the_key_lets_it(alice_client: Client) -> None:
    asked = {"restrictions": ["a.example.com"], "try_ip": "10.0.0.1"}
    assertContains(ask(alice_client, **asked), "Refused")
    assertContains(ask(alice_client, **asked, allows_no_origin="on"), "Passes")


def test_advice_on_the_list_comes_beside_the_answer(alice_client: Client) -> None:
    page = ask(alice_client, restrictions=["example.com"])
    assertContains(page, 'id="list-advice" role="status" hx-swap-oob="true"')
    assertContains(page, 'data-entry-offer="http*://*.example.com/*"')
    assertNotContains(page, "Refused")


@pytest.mark.parametrize("said", [{"key_type": "tiles"}, {"is_from_browsers": "1"}])
def test_address_on_a_key_of_web_pages_is_warned_of(alice_client: Client, said: dict[str, str]) -> None:
    assertContains(ask(alice_client, restrictions=["203.0.113.7"], **said), "your visitors")
    assertNotContains(ask(alice_client, restrictions=["203.0.113.7"], key_type="rest"), "your visitors")


def test_key_that_was_used_from_a_page_is_known_to_be_in_pages(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    assertNotContains(dialog(alice_client, key), 'name="is_from_browsers"')
    key_uses_note([LastUse(key.pk, T0, "https://example.com", "203.0.113.7")])
    assertContains(dialog(alice_client, key), 'name="is_from_browsers"')


@pytest.mark.parametrize(
    "asked",
    [
        {"try_url": "\0", "try_ip": "\0", "restrictions": ["\0"]},
        {"try_url": "x" * 20_000},
        {"restrictions": ["*a" * 990] * 500, "try_url": "https://" + "a." * 100 + "com/" + "a" * 3_000},
    ],
)
def test_hostile_question_is_answered(alice_client: Client, asked: dict[str, object]) -> None:
    assert ask(alice_client, **asked).status_code == 200


def test_what_was_typed_is_shown_as_text_and_never_as_markup(alice_client: Client) -> None:
    page = ask(alice_client, restrictions=["a.example.com"], try_url="https://x/<script>", try_whole="on")
    assertNotContains(page, "<script")
