"""The replay in the key's dialog: what it says of the list as it is typed, and what it offers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.guarding import key_block_origin
from keys.models import ApiKey
from keys.services import CreatedKey
from stats.outcomes import Outcome
from stats.seen_requests import TooManyRecords
from tests.factories import make_event, make_key
from tests.road import copies, store

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice, restrictions=["example.com"])


@pytest.fixture
def used(key: CreatedKey) -> CreatedKey:
    """1,204 requests of the site, 12 of another, refused, and 3 that named none."""
    at = utc_now() - timedelta(days=2)
    evil = make_event(key, at=at, origin="https://shop.example.org:8443", outcome=Outcome.ORIGIN_NOT_ALLOWED)
    server = make_event(key, at=at, origin="", ip="198.51.100.9")
    store(*copies(make_event(key, at=at), 1_204), *copies(evil, 12), *copies(server, 3))
    return key


def ask(client: Client, key: CreatedKey, *entries: str, status: int = 200, **typed: str) -> str:
    """The fragment, its white space folded."""
    answer = client.post(reverse("replay:key", args=[key.key.pk]), {"restrictions": entries, "days": "7", **typed})
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def offers(text: str) -> list[str]:
    return re.findall(r'data-entry-offer="(.*?)"', text)


def test_list_as_typed_is_tried_and_each_refused_place_may_be_allowed(used: CreatedKey, alice_client: Client) -> None:
    text = ask(alice_client, used, "example.com")
    assert "Over the last 7 days this list would have refused 15 of 1,219 requests." in text
    assert offers(text)[:2] == ["https://shop.example.org:8443/*", "198.51.100.9"]
    assert "12 refused at the time" in text
    assert "No web site named" in text
    assert "Adds <code>https://shop.example.org:8443/*</code>" in text
    assert "<dt>Covers</dt>" in text
    assert "One place passes" in text

    text = ask(alice_client, used, "example.com", *offers(text)[:2])
    assert "would have refused 0 of 1,219 requests." in text
    assert not offers(text)
    assert [restriction.text for restriction in used.key.restrictions.all()] == ["http*://example.com/*"]


def test_requests_without_an_origin_pass_where_the_key_lets_them(used: CreatedKey, alice_client: Client) -> None:
    assert "refused 12 of 1,219" in ask(alice_client, used, "example.com", allows_no_origin="on")


def test_enforcing_is_offered_for_a_usable_list_that_only_reports(used: CreatedKey, alice_client: Client) -> None:
    assert "data-enforce" in ask(alice_client, used, "example.com", restrictions_mode="report_only")
    assert "data-enforce" not in ask(alice_client, used, "example.com", restrictions_mode="enforced")
    assert "data-enforce" not in ask(alice_client, used, "example.com", "a b", restrictions_mode="report_only")
    assert "data-enforce" not in ask(alice_client, used, restrictions_mode="report_only")


def test_empty_list_refuses_nothing_and_says_so(used: CreatedKey, alice_client: Client) -> None:
    text = ask(alice_client, used, "")
    assert "refused 0 of 1,219" in text
    assert "It is empty, and refuses nothing." in text


def test_entries_that_cannot_be_used_are_left_out_and_alone_are_not_tried(
    used: CreatedKey, alice_client: Client
) -> None:
    text = ask(alice_client, used, "example.com", "a b")
    assert "One entry cannot be used" in text
    assert "refused 15 of" in text
    text = ask(alice_client, used, "a b", "c d")
    assert "2 entries cannot be used" in text
    assert "No entry is left to try." in text


def test_days_are_the_last_seven_or_the_last_one(used: CreatedKey, alice_client: Client) -> None:
    assert "No requests in the last 24 hours." in ask(alice_client, used, "example.com", days="1")
    store(make_event(used, at=utc_now()))
    assert "Over the last 24 hours this list would have refused 0 of 1 requests." in ask(
        alice_client, used, "example.com", days="1"
    )
    assert "Over the last 7 days" in ask(alice_client, used, "example.com", days="1000")


def test_key_that_was_not_used_is_told_so(key: CreatedKey, alice_client: Client) -> None:
    assert "No requests in the last 7 days." in ask(alice_client, key, "example.com")


@pytest.mark.parametrize(("days", "words"), [("7", "Try the last 24 hours."), ("1", "even of one day")])
def test_key_with_too_many_records_is_told_what_to_do(
    key: CreatedKey, alice_client: Client, monkeypatch: pytest.MonkeyPatch, days: str, words: str
) -> None:
    def too_many(**asked: object) -> None:
        raise TooManyRecords

    monkeypatch.setattr("stats.replay_views.seen_requests", too_many)
    assert words in ask(alice_client, key, "example.com", days=days)


def test_sources_beyond_those_shown_are_counted(key: CreatedKey, alice_client: Client) -> None:
    at = utc_now()
    store(*(make_event(key, at=at, origin=f"https://s{n}.example.org") for n in range(25)))
    text = ask(alice_client, key, "example.com")
    assert len(offers(text)) == 20
    assert "And 5 more places" in text


def test_origin_of_a_stranger_is_shown_as_text(key: CreatedKey, alice_client: Client) -> None:
    store(make_event(key, at=utc_now(), origin='https://a"><script>alert(1)</script>'))
    text = ask(alice_client, key, "example.com")
    assert "<script>" not in text
    assert not offers(text)


def test_origin_that_the_key_blocks_is_shown_as_blocked(used: CreatedKey, alice_client: Client) -> None:
    key_block_origin(key=used.key, origin="https://example.com")
    text = ask(alice_client, used, "*:*")
    assert "refused 1,207 of 1,219" in text
    assert "Blocked on this key" in text


@pytest.mark.parametrize("n", [1, 15])
def test_it_takes_as_many_queries_for_many_origins(
    key: CreatedKey, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, n: int
) -> None:
    at = utc_now()
    store(*(make_event(key, at=at, origin=f"https://s{number}.example.org") for number in range(n)))
    with django_assert_num_queries(9):  # Session, user, account; key; what it blocks; the records, in a query of four.
        ask(alice_client, key, "example.com")


def test_strangers_key_and_a_deleted_one_are_not_there(
    key: CreatedKey, alice_client: Client, charlie_client: Client
) -> None:
    ask(charlie_client, key, "example.com", status=404)
    ApiKey.objects.filter(pk=key.key.pk).update(revoked_at=utc_now())
    ask(alice_client, key, "example.com", status=404)


def test_it_is_asked_by_post_alone(key: CreatedKey, alice_client: Client) -> None:
    assert alice_client.get(reverse("replay:key", args=[key.key.pk])).status_code == 405


def test_dialog_of_an_old_key_has_it_and_that_of_a_new_one_has_not(key: CreatedKey, alice_client: Client) -> None:
    url = reverse("replay:key", args=[key.key.pk])
    htmx = {"HX-Request": "true"}
    assert url in alice_client.get(reverse("keys:edit", args=[key.key.pk]), headers=htmx).content.decode()
    assert "replay" not in alice_client.get(reverse("keys:create"), headers=htmx).content.decode()
