"""The create dialog of keys/dialogs.py: what it asks, refuses, stores and shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertRedirects

from accounts.models import Account
from keys.key_text import KeyShape, shape_of
from keys.models import ApiKey, Restriction
from keys.vault import decrypt
from tests.factories import make_key, owner_of

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

HTMX = {"HX-Request": "true"}


def create(client: Client, **fields: object) -> Response:
    data = {"key_type": "rest", "name": "Storefront", **fields}
    return client.post(reverse("keys:create"), data, headers=HTMX)


def test_dialog_asks_what_the_original_asks(alice_client: Client) -> None:
    dialog = alice_client.get("/keys/new", headers=HTMX)
    for words in ("Create an API Key", "Information", "Restrictions", "API Key type", "Maptiles Key", "Description"):
        assertContains(dialog, words)
    assertContains(dialog, 'value="rest"')
    assert re.search(r'value="rest"[^>]* checked', dialog.content.decode())
    assert ApiKey.objects.count() == 0


def test_dialog_without_htmx_is_the_list(alice_client: Client, alice: Account) -> None:
    assertRedirects(alice_client.get("/keys/new"), "/keys")
    key = make_key(alice).key
    assertRedirects(alice_client.get(reverse("keys:delete", args=[key.pk])), "/keys")


def test_create_makes_the_key_that_was_asked_for(alice: Account, alice_client: Client) -> None:
    response = create(
        alice_client,
        key_type="tiles",
        name="  Cửa hàng 🗺 ",
        description="Bản đồ",
        restrictions=["Example.com", "", " 203.0.113.7 "],
        allows_no_origin="on",
    )
    key = ApiKey.objects.get()
    assert response.status_code == 200
    assert (key.account, key.type, key.name, key.description) == (alice, "tiles", "Cửa hàng 🗺", "Bản đồ")
    assert key.created_by == owner_of(alice)
    assert key.allows_no_origin
    assert list(Restriction.objects.values_list("key", "kind", "text", "position")) == [
        (key.pk, "url", "http*://example.com/*", 0),
        (key.pk, "ip", "203.0.113.7", 1),
    ]


def test_new_key_is_shown_with_a_first_request_and_leads_the_list(
    alice: Account, alice_client: Client, settings: Settings
) -> None:
    settings.GATE_PUBLIC_URL = "https://api.example.vn"
    make_key(alice, name="Older")
    response = create(alice_client, restrictions=["example.com"])
    key = ApiKey.objects.get(name="Storefront")
    text = decrypt(key.ciphertext)
    page = response.content.decode()
    assert shape_of(text) is KeyShape.OWN
    assert f'id="created-text">{text}<' in page
    assert f"api_key={text}" in page
    assert "curl --referer https://example.com/ " in page
    assert '<section id="keys" aria-label="Your API keys" hx-swap-oob="true">' in page
    assert f'id="key-{key.pk}" class="is-new"' in page
    assert page.count("is-new") == 1
    assert response["HX-Replace-Url"] == "/keys"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "Give the key a name."),
        ({"name": "   "}, "Give the key a name."),
        ({"name": "x" * 10_000}, "At most 100 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"description": "x" * 1_001}, "At most 1000 characters"),
        ({"description": "a\x00b"}, "Null characters are not allowed."),
        ({"key_type": "admin"}, "admin is not one of the available choices"),
        ({"key_type": ""}, "This field is required."),
        ({"restrictions": ["http*://exa mple.com"]}, "A pattern cannot contain spaces."),
        ({"restrictions": ["a\x00b.com"]}, "U+0000"),
        ({"restrictions": ["203.0.113.5/24"]}, "did you mean 203.0.113.0/24?"),
        ({"restrictions": ["x" * 5_000]}, "at most 2,000 characters"),
        ({"restrictions": [f"s{n}.example.com" for n in range(201)]}, "at most 200 entries; these are 201."),
    ],
)
def test_bad_input_is_named_and_stores_nothing(alice_client: Client, fields: dict[str, object], message: str) -> None:
    response = create(alice_client, **fields)
    assert response.status_code == 422
    assertContains(response, message, status_code=422)
    assert (ApiKey.objects.count(), Restriction.objects.count()) == (0, 0)


def test_bad_entry_is_marked_and_nothing_typed_is_lost(alice_client: Client) -> None:
    response = create(
        alice_client,
        key_type="tiles",
        name="Cửa hàng",
        description="Mô tả",
        restrictions=["https://good.example.com/*", "http*://bad_host!/*"],
        allows_no_origin="on",
    )
    page = response.content.decode()
    assert 'value="Cửa hàng"' in page
    assert "Mô tả</textarea>" in page
    assert re.search(r'value="tiles"[^>]* checked', page)
    assert re.search(r'name="allows_no_origin"[^>]* checked', page)
    good, bad = re.findall(r'<input class="form-control[^>]*name="restrictions"[^>]*>', page)
    assert 'value="https://good.example.com/*"' in good and "aria-invalid" not in good
    assert 'value="http*://bad_host!/*"' in bad and 'aria-invalid="true"' in bad
    assert "Host: <code>bad_host!</code>" in page
    assert "One entry of the list cannot be used" in page


def test_create_is_refused_without_a_csrf_token(alice: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner_of(alice))
    assert create(client).status_code == 403
    assert ApiKey.objects.count() == 0


# ---- The restriction list as it is typed ----


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("example.com", "saved as <code>http*://example.com/*</code>"),
        ("http*://example.com/*", "Web site"),
        ("203.0.113.7", "IP address"),
        ("::ffff:10.0.0.1", "saved as <code>10.0.0.1</code>"),
        ("https://example.com/shop/*", "Use <code>https://example.com/*</code>"),
        ("https://user@example.com/", "Host: <code>user@example.com</code>"),
        ("example.com:99999", "Port: <code>99999</code>"),
        ("<b>.com/x", "Host: <code>&lt;b&gt;.com</code>"),
        ("a\u200bb.com", "Pattern: <code>U+200B</code>"),
    ],
)
def test_entry_is_explained_as_it_is_typed(alice_client: Client, typed: str, answer: str) -> None:
    note = alice_client.get("/keys/check-entry", {"restrictions": typed}, headers=HTMX)
    assertContains(note, answer)
    assert (Restriction.objects.count(), ApiKey.objects.count()) == (0, 0)


def test_empty_entry_is_passed_over_in_silence(alice_client: Client) -> None:
    assert alice_client.get("/keys/check-entry").content.strip() == b""


def test_pasted_list_comes_back_one_entry_a_row(alice_client: Client) -> None:
    data = {"restrictions": ["example.com\r\n\n10.0.0.0/8", "bad host"]}
    page = alice_client.post("/keys/check-entries", data, headers=HTMX).content.decode()
    rows = re.findall(r'name="restrictions" value="(.*?)"( aria-invalid="true")?', page)
    assert rows == [("example.com", ""), ("10.0.0.0/8", ""), ("bad host", ' aria-invalid="true"')]
    assert Restriction.objects.count() == 0
