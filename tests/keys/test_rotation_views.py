"""The dialog that rotates a key, and what the list says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.models import ApiKey, Rotation
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.switching import key_disable
from keys.vault import decrypt
from tests.factories import make_key

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/keys"}
DAY = timedelta(days=1)


def post(client: Client, name: str, key: ApiKey, data: dict[str, str] | None = None, **headers: str) -> Any:
    return client.post(reverse(f"keys:{name}", args=[key.pk]), data or {}, headers={**HTMX, **headers})


def rotate(client: Client, key: ApiKey, overlap: str = "24h", quiet: str = "never", **headers: str) -> Any:
    return post(client, "rotate", key, {"overlap": overlap, "quiet": quiet}, **headers)


def test_dialog_asks_and_changes_nothing(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Shop", expires_at=utc_now() + 5 * DAY).key
    dialog = alice_client.get(reverse("keys:rotate", args=[key.pk]), headers=HTMX)
    for words in ("Shop", "7 days", "It expires on", "The new key expires on", "they count together"):
        assertContains(dialog, words)
    assert ApiKey.objects.count() == 1


def test_new_key_is_shown_with_the_end_of_the_old_one_and_both_are_listed(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Shop").key
    answer = rotate(alice_client, key, "7d", "24h")
    rotation = Rotation.objects.select_related("new", "old").get()
    assert (rotation.ends_at - rotation.started_at, rotation.quiet_for) == (7 * DAY, DAY)
    text = decrypt(rotation.new.ciphertext)
    assertContains(answer, text, count=1)
    assertContains(answer, f"The old key {key.masked_text} works until")
    assertContains(answer, f'id="key-{rotation.new.pk}" class="is-new"')
    page = alice_client.get("/keys")
    assertNotContains(page, text)
    assertContains(page, f"by {rotation.new.masked_text}, until")
    assertContains(page, f"replaces {key.masked_text}")
    assert "no-store" in answer["Cache-Control"]


def test_rotation_at_once_shows_the_receipt(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    answer = rotate(alice_client, key, "none")
    assertContains(answer, "is refused from now on.")
    assertContains(answer, reverse("receipts:receipt", args=[key.pk]))
    assertNotContains(answer, f'id="key-{key.pk}"')


def test_second_click_makes_no_second_key_and_shows_no_text(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    first, second = rotate(alice_client, key), rotate(alice_client, key)
    assert ApiKey.objects.count() == 2
    text = decrypt(Rotation.objects.get().new.ciphertext)
    assertContains(first, text)
    assertNotContains(second, text)
    assertContains(second, "is being replaced already, by")


def test_key_that_cannot_be_rotated_says_why_and_offers_no_button(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    key_disable(key=key)
    dialog = alice_client.get(reverse("keys:rotate", args=[key.pk]), headers=HTMX)
    assertContains(dialog, "Enable it before you rotate it.")
    assertNotContains(dialog, 'type="submit"')
    answer = rotate(alice_client, key)
    assert answer.status_code == 422
    assertContains(answer, "Enable it before you rotate it.", count=1, status_code=422)


@pytest.mark.parametrize("data", [{}, {"overlap": "1y", "quiet": "never"}, {"overlap": "1h", "quiet": "x"}])
def test_choice_that_is_not_offered_is_refused(alice: Account, alice_client: Client, data: dict[str, str]) -> None:
    assert post(alice_client, "rotate", make_key(alice).key, data).status_code == 422
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(("name", "words"), [("retire", "is retired"), ("cancel_rotation", "is cancelled")])
def test_rotation_is_ended_or_cancelled_by_hand_once(
    alice: Account, alice_client: Client, name: str, words: str
) -> None:
    key = make_key(alice).key
    new = key_rotate(key=key, overlap=Overlap.DAY).rotation.new
    answer = post(alice_client, name, key)
    assertContains(answer, words)
    left = new if name == "retire" else key
    assert list(ApiKey.objects.filter(revoked_at=None)) == [left]
    assert post(alice_client, name, key).status_code == 200
    assert list(ApiKey.objects.filter(revoked_at=None)) == [left]


def test_key_that_nothing_replaces_is_told_so(alice: Account, alice_client: Client) -> None:
    for name in ("retire", "cancel_rotation"):
        assertContains(post(alice_client, name, make_key(alice).key), "No rotation of this key is under way.")


def test_expiry_that_is_near_is_seen_in_the_list(alice: Account, alice_client: Client) -> None:
    now = utc_now()
    for name, left in (("Near", 7 * DAY), ("Tomorrow", DAY), ("Far", 31 * DAY)):
        make_key(alice, name=name, expires_at=now + left)
    page = alice_client.get("/keys")
    assertContains(page, "expires in 7 days")
    assertContains(page, "expires in 1 day<")
    assertContains(page, f"until {(now + 31 * DAY).astimezone(settings.BILLING_ZONE):%-d %b %Y}")


@pytest.mark.parametrize(("method", "name"), [("put", "rotate"), ("get", "retire"), ("get", "cancel_rotation")])
def test_wrong_method_is_refused(alice: Account, alice_client: Client, method: str, name: str) -> None:
    url = reverse(f"keys:{name}", args=[make_key(alice).key.pk])
    assert getattr(alice_client, method)(url).status_code == 405


def test_pages_of_both_keys_name_the_other(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    new = key_rotate(key=key, overlap=Overlap.DAY).rotation.new
    page = alice_client.get(reverse("keys:key", args=[key.pk]))
    assertContains(page, f'being replaced by <a href="{reverse("keys:key", args=[new.pk])}">{new.masked_text}</a>')
    assertContains(page, reverse("receipts:rotation", args=[key.pk]))
    page = alice_client.get(reverse("keys:key", args=[new.pk]))
    assertContains(page, f'replaces <a href="{reverse("keys:key", args=[key.pk])}">{key.masked_text}</a>')
    assertContains(page, reverse("keys:rotate", args=[new.pk]))


def test_deleting_the_new_key_says_that_the_old_one_goes_on(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    new = key_rotate(key=key, overlap=Overlap.DAY).rotation.new
    dialog = alice_client.get(reverse("keys:delete", args=[new.pk]), headers=HTMX)
    assertContains(dialog, f"It is taking the place of {key.masked_text}")
    dialog = alice_client.get(reverse("keys:delete", args=[key.pk]), headers=HTMX)
    assertNotContains(dialog, "taking the place")


def test_retired_key_is_among_the_deleted_with_what_replaced_it(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    new = key_rotate(key=key, overlap=Overlap.NONE).rotation.new
    assertContains(alice_client.get("/keys/deleted"), f"replaced by {new.masked_text}")
