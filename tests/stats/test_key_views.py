"""The parts of a key's page that are made of usage."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Account, Role
from goongdash.lib.clock import utc_now
from keys.services import key_revoke
from stats.outcomes import Outcome
from tests.factories import make_event, make_key, make_member
from tests.road import copies, store

HTMX = {"HX-Request": "true"}
THIEF = "https://thief.example.net"


def usage_url(pk: int) -> str:
    return reverse("stats:key_usage", args=[pk])


def origins_url(pk: int) -> str:
    return reverse("stats:key_origins", args=[pk])


def test_use_has_the_numbers_of_this_key_alone(alice: Account, alice_client: Client) -> None:
    created = make_key(alice)
    store(
        *copies(make_event(created, at=utc_now()), 3),
        make_event(created, at=utc_now(), outcome=Outcome.DAILY_QUOTA),
        *copies(make_event(make_key(alice), at=utc_now()), 50),
    )
    for period, n_bars in {"24h": 24, "7d": 7, "30d": 30, "90d": 90, "": 7}.items():
        part = alice_client.get(usage_url(created.key.pk), {"period": period}, headers=HTMX)
        usage = part.context["usage"]
        assert len(usage.chart.labels) == n_bars
        assert (usage.totals.n_requests, usage.totals.n_refused) == (4, 1)
        assert [(series.label, series.total) for series in usage.chart.series] == [("Allowed", 3), ("Refused", 1)]
    assertContains(part, f"/statistics?key={created.key.pk}&amp;period=")
    assertContains(part, "Newest number")
    assertContains(part, "Chart: Requests by day.")


def test_use_answers_nothing_while_nothing_is_new(alice: Account, alice_client: Client) -> None:
    created = make_key(alice)
    store(make_event(created, at=utc_now()))
    url = usage_url(created.key.pk)
    seen = alice_client.get(url, headers=HTMX).context["state"]
    assert alice_client.get(url, {"seen": seen}, headers=HTMX).status_code == 204
    assert alice_client.get(url, {"seen": seen, "period": "30d"}, headers=HTMX).status_code == 200
    store(make_event(created, at=utc_now()))
    assert alice_client.get(url, {"seen": seen}, headers=HTMX).status_code == 200


def test_unused_key_is_said_to_be_so(alice: Account, alice_client: Client) -> None:
    created = make_key(alice)
    assertContains(alice_client.get(usage_url(created.key.pk), headers=HTMX), "No requests in this period")
    assertContains(alice_client.get(origins_url(created.key.pk), headers=HTMX), "No requests in the last 7 days")


def test_refused_origin_is_offered_to_those_who_may_change_keys(alice: Account, alice_client: Client) -> None:
    created = make_key(alice, restrictions=["example.com"])
    store(
        make_event(created, at=utc_now()),
        make_event(created, at=utc_now(), origin=THIEF, outcome=Outcome.ORIGIN_NOT_ALLOWED),
    )
    part = alice_client.get(origins_url(created.key.pk), headers=HTMX)
    assertContains(part, "Allow this origin", count=1)
    assertContains(part, f"/keys/{created.key.pk}/edit?allow=https%3A%2F%2Fthief.example.net%2F%2A")
    viewer = Client()
    viewer.force_login(make_member(alice, Role.VIEWER).user)
    part = viewer.get(origins_url(created.key.pk), headers=HTMX)
    assertContains(part, THIEF)
    assertNotContains(part, "Allow this origin")


def test_origin_is_shown_as_text_and_never_as_markup(alice: Account, alice_client: Client) -> None:
    created = make_key(alice)
    store(make_event(created, at=utc_now(), origin="https://<script>alert(1)</script>"))
    assertNotContains(alice_client.get(origins_url(created.key.pk), headers=HTMX), "<script>")


def test_deleted_key_keeps_its_numbers_and_allows_nothing(alice: Account, alice_client: Client) -> None:
    created = make_key(alice, restrictions=["example.com"])
    store(make_event(created, at=utc_now(), origin=THIEF, outcome=Outcome.ORIGIN_NOT_ALLOWED))
    key_revoke(key=created.key)
    part = alice_client.get(usage_url(created.key.pk), headers=HTMX)
    assertNotContains(part, "No requests")
    assertNotContains(part, "every 3s")
    part = alice_client.get(origins_url(created.key.pk), headers=HTMX)
    assertContains(part, THIEF)
    assertNotContains(part, "Allow this origin")


@pytest.mark.parametrize("url", [usage_url, origins_url])
def test_stranger_finds_nothing_and_nothing_is_written(
    alice: Account, alice_client: Client, charlie_client: Client, url: object
) -> None:
    assert callable(url)
    address = url(make_key(alice).key.pk)
    assert charlie_client.get(address, headers=HTMX).status_code == 404
    assert alice_client.get(url(10**18), headers=HTMX).status_code == 404
    assert alice_client.post(address, headers=HTMX).status_code == 405


def test_fragment_asked_for_as_a_page_is_the_page(alice: Account, alice_client: Client) -> None:
    pk = make_key(alice).key.pk
    assertRedirects(alice_client.get(usage_url(pk), {"period": "30d"}), f"/keys/{pk}?tab=use&period=30d")
    assertRedirects(alice_client.get(usage_url(pk), {"period": "<x>"}), f"/keys/{pk}?tab=use&period=7d")
    assertRedirects(alice_client.get(origins_url(pk)), f"/keys/{pk}?tab=use")


@pytest.mark.parametrize("n_origins", [1, 9])
def test_parts_ask_the_database_as_often_for_much_use_as_for_little(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, n_origins: int
) -> None:
    created = make_key(alice, restrictions=["example.com"])
    store(*(make_event(created, at=utc_now(), origin=f"https://s{n}.example.com") for n in range(n_origins)))
    with django_assert_num_queries(7):  # Session, user, account, key; newest count, sums, services.
        assert alice_client.get(usage_url(created.key.pk), headers=HTMX).status_code == 200
    with django_assert_num_queries(6):  # Session, user, account, key; sums, restrictions.
        assert alice_client.get(origins_url(created.key.pk), headers=HTMX).status_code == 200
