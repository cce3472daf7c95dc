"""The receipt of a deleted key: what it reads, shows, and asks again for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import redis
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from accounts.models import Account
from accounts.receipts import receipt_open
from goongdash.lib.clock import utc_now
from keys.models import ApiKey
from keys.services import CreatedKey, key_revoke
from stats.ingest import ingest_all
from stats.models import UsageRecord
from stats.outcomes import Outcome
from stats.receipts import LastAccepted, key_receipt, last_accepted
from tests.factories import T0, make_event, make_key
from tests.receipts import gate_confirms, gate_runs
from tests.road import push, store

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice, name="Storefront")


def url(key: CreatedKey) -> str:
    return reverse("receipts:receipt", args=[key.key.pk])


def end(key: CreatedKey, *, ago: timedelta = timedelta(0), gates: str = "") -> None:
    """Deletes the key, and has the gates (one letter each) asked."""
    for gate in gates:
        gate_runs(gate)
    key_revoke(key=key.key)
    ApiKey.objects.filter(pk=key.key.pk).update(revoked_at=utc_now() - ago)
    if gates:
        receipt_open(key.key.lookup_digest)
    key.key.refresh_from_db()


def fragment(client: Client, key: CreatedKey) -> str:
    answer = client.get(url(key), headers=HTMX)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


# ---- When it was last accepted ----


def test_key_never_used_was_never_accepted(key: CreatedKey) -> None:
    assert last_accepted(key.key) is None
    store(make_event(key, outcome=Outcome.RATE_LIMIT), make_event(make_key(key.key.account)))
    assert last_accepted(key.key) is None


@pytest.mark.parametrize("is_summed", [True, False])
def test_newest_allowed_request_of_that_key_is_found(key: CreatedKey, is_summed: bool) -> None:
    at = T0 + timedelta(minutes=17, microseconds=5)
    events = [
        make_event(key),
        make_event(key, at=at),
        make_event(key, at=at + timedelta(minutes=1), outcome=Outcome.KEY_REVOKED),
        make_event(make_key(key.key.account), at=at + timedelta(minutes=2)),
    ]
    if is_summed:
        store(*events)
    else:
        store(make_event(key, at=T0 - timedelta(days=2)))
        push(*events)
        ingest_all()
    assert last_accepted(key.key) == LastAccepted(at, is_exact=True)


def test_hour_is_left_when_its_records_are_gone(key: CreatedKey) -> None:
    store(make_event(key, at=T0 + timedelta(minutes=17)))
    UsageRecord.objects.all().delete()
    assert last_accepted(key.key) == LastAccepted(T0, is_exact=False)


def test_it_takes_as_many_queries_for_a_long_history(
    key: CreatedKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store(*(make_event(key, at=T0 - timedelta(days=day)) for day in range(20)))
    with django_assert_num_queries(4):  # Watermark, records beyond it, newest hour, records of it.
        assert last_accepted(key.key) == LastAccepted(T0, is_exact=True)


# ---- Whether it is final ----


@pytest.mark.parametrize(
    ("gates", "confirmed", "after_s", "is_final"),
    [
        ("ab", "ab", 5, False),  # The last requests may still be on their way.
        ("ab", "ab", 11, True),
        ("ab", "a", 11, False),
        ("ab", "a", 301, True),
        ("", "", 11, False),
        ("", "", 301, True),
    ],
)
def test_receipt_is_final_when_all_have_confirmed_or_none_can_remember(
    key: CreatedKey, gates: str, confirmed: str, after_s: int, is_final: bool
) -> None:
    end(key, gates=gates)
    for gate in confirmed:
        gate_confirms(gate, key.key.lookup_digest)
    ended_at = key.key.revoked_at
    assert isinstance(ended_at, datetime)
    assert key_receipt(key.key, now=ended_at + timedelta(seconds=after_s)).is_final is is_final


# ---- The page ----


def test_page_shows_what_the_gates_confirmed_and_stops_asking(key: CreatedKey, alice_client: Client) -> None:
    end(key, ago=timedelta(minutes=1), gates="ab")
    for gate in "ab":
        gate_confirms(gate, key.key.lookup_digest)
    page = alice_client.get(url(key))
    assertContains(page, "Storefront")
    assertContains(page, "2 of 2 gates")
    assertContains(page, "Never")
    assertNotContains(page, "hx-get")
    assertContains(page, '<a href="/keys" aria-current="page">')
    assert "no-store" in page["Cache-Control"]
    assert "HX-Request" in page["Vary"]
    assertNotContains(page, key.text)


def test_gate_that_has_not_confirmed_is_named_with_its_latest_instant(key: CreatedKey, alice_client: Client) -> None:
    end(key, gates="ab")
    gate_confirms("a", key.key.lookup_digest)
    text = fragment(alice_client, key)
    assert "1 of 2 gates" in text
    assert "gate-host, process 11 has not confirmed." in text
    assert "at the latest; from then on it refuses it" in text
    assert f'hx-get="{url(key)}"' in text


def test_gate_that_died_is_named_and_does_not_count(key: CreatedKey, alice_client: Client) -> None:
    end(key, gates="ab")
    gate_confirms("a", key.key.lookup_digest)
    gate_runs("b", ago_s=60)
    text = fragment(alice_client, key)
    assert "1 of 1 gate<" in text
    assert "process 11 was last seen at" in text


@pytest.mark.parametrize(
    ("ago", "words"), [(timedelta(0), "The gates could not be told."), (timedelta(days=9), "are kept for a week")]
)
def test_key_without_a_receipt_is_refused_after_the_time_to_live(
    key: CreatedKey, alice_client: Client, ago: timedelta, words: str
) -> None:
    end(key, ago=ago)
    assert words in fragment(alice_client, key)


def test_page_opens_while_the_store_is_away(
    key: CreatedKey, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(key, gates="a")

    def away(digest: str) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr("stats.receipts.receipt_read", away)
    assert "can’t be read at the moment" in fragment(alice_client, key)


def test_disabled_key_has_a_receipt_and_an_active_one_has_none(key: CreatedKey, alice_client: Client) -> None:
    assert alice_client.get(url(key)).status_code == 404
    ApiKey.objects.filter(pk=key.key.pk).update(disabled_at=utc_now())
    assertContains(alice_client.get(url(key)), "Disabled")


def test_stranger_finds_neither_receipt_nor_name(key: CreatedKey, charlie_client: Client) -> None:
    end(key)
    assert charlie_client.get(url(key)).status_code == 404
    assertNotContains(charlie_client.get("/keys/deleted"), "Storefront")


@pytest.mark.parametrize("page", ["/keys/deleted", "/keys/1/receipt"])
def test_wrong_method_and_nobody_are_refused(client: Client, alice_client: Client, page: str) -> None:
    assert alice_client.post(page).status_code == 405
    assert Client().get(page).status_code == 302


@pytest.mark.parametrize("n_keys", [1, 12])
def test_deleted_keys_are_listed_newest_first_in_as_many_queries_for_many(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, n_keys: int
) -> None:
    make_key(alice, name="Alive")
    for n in range(n_keys):
        end(make_key(alice, name=f"Key {n}"), ago=timedelta(days=n))
    with django_assert_num_queries(6):  # Session, user, account; number of keys, keys; the bell.
        page = alice_client.get("/keys/deleted")
    assert re.findall(r'class="cell-title">(.*?)<', page.content.decode()) == [f"Key {n}" for n in range(n_keys)]


def test_account_that_deleted_nothing_is_told_so(alice_client: Client) -> None:
    assertContains(alice_client.get("/keys/deleted"), "No deleted keys")


def test_deletion_is_answered_with_the_receipt(key: CreatedKey, alice_client: Client) -> None:
    answer = alice_client.post(reverse("keys:delete", args=[key.key.pk]), headers=HTMX)
    assertContains(answer, f'hx-get="{url(key)}"')
    assertContains(answer, "“Storefront” is deleted.")
