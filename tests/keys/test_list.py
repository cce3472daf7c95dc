"""The key list: what its search, filters, orders and pages show, and that its address says all of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.last_use import LastUse, key_uses_note
from keys.limits import KeyLimits
from keys.models import ApiKey, Service
from tests.factories import T0, make_key

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

HTMX = {"HX-Request": "true"}


def names(client: Client, **query: str) -> list[str]:
    page = client.get("/keys", query).content.decode()
    return re.findall(r'class="cell-title">(.*?)<', page)


def names_of(response: Response) -> list[str]:
    return re.findall(r'class="cell-title">(.*?)<', response.content.decode())


@pytest.fixture
def shop(alice: Account) -> Account:
    """An account with a key in each state, used in another order than made."""
    now = utc_now()
    facts: dict[str, dict[str, object]] = {
        "Banana": {},
        "apple": {"expires_at": now + timedelta(days=7)},
        "Cherry": {"expires_at": now + timedelta(days=60)},
        "Đu đủ": {"expires_at": now - timedelta(days=1)},
        "Elder": {"disabled_at": now},
    }
    for number, (name, fields) in enumerate(facts.items()):
        key = make_key(alice, name=name, type="tiles" if name == "Cherry" else "rest").key
        ApiKey.objects.filter(pk=key.pk).update(created_at=T0 + timedelta(days=number), **fields)
    pks = dict(ApiKey.objects.values_list("name", "pk"))
    key_uses_note(
        [
            LastUse(pks["Cherry"], T0 + timedelta(hours=2), "https://cherry.example.com", "203.0.113.7"),
            LastUse(pks["Banana"], T0 + timedelta(hours=3), "", "203.0.113.8"),
        ]
    )
    return alice


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Elder", "Đu đủ", "Cherry", "apple", "Banana"]),
        ({"sort": "oldest"}, ["Banana", "apple", "Cherry", "Đu đủ", "Elder"]),
        ({"sort": "used"}, ["Banana", "Cherry", "Elder", "Đu đủ", "apple"]),
        ({"sort": "unused"}, ["apple", "Đu đủ", "Elder", "Cherry", "Banana"]),
        ({"type": "tiles"}, ["Cherry"]),
        ({"state": "active"}, ["Cherry", "apple", "Banana"]),
        ({"state": "soon"}, ["apple"]),
        ({"state": "expired"}, ["Đu đủ"]),
        ({"state": "disabled"}, ["Elder"]),
        ({"state": "active", "type": "rest", "q": "an"}, ["Banana"]),
        ({"state": "expired", "type": "tiles"}, []),
    ],
)
def test_list_shows_what_is_asked_for_in_the_order_asked_for(
    shop: Account, alice_client: Client, query: dict[str, str], found: list[str]
) -> None:
    assert names(alice_client, **query) == found


def test_names_are_ordered_without_case(shop: Account, alice_client: Client) -> None:
    found = names(alice_client, sort="name")
    assert sorted(found[:4], key=str.lower) == ["apple", "Banana", "Cherry", "Elder"]
    assert [name for name in found if name.isascii()] == ["apple", "Banana", "Cherry", "Elder"]


def test_filters_say_what_is_chosen(shop: Account, alice_client: Client) -> None:
    page = alice_client.get("/keys", {"q": "e", "state": "disabled", "type": "rest", "sort": "name"})
    for chosen in ('value="disabled" selected', 'value="rest" selected', 'value="name" selected', 'name="q" value="e"'):
        assertContains(page, chosen)
    assertContains(page, "Search 5 keys")


def test_few_keys_need_no_filters(alice: Account, alice_client: Client) -> None:
    make_key(alice)
    assertNotContains(alice_client.get("/keys"), "key-filters")


def test_filter_replaces_the_address_and_another_page_adds_to_the_history(shop: Account, alice_client: Client) -> None:
    asked = {"q": "", "type": "", "state": "active", "sort": ""}
    by_filter = alice_client.get("/keys", asked, headers={**HTMX, "HX-Trigger": "key-filters"})
    assert by_filter["HX-Replace-Url"] == "/keys?state=active"
    by_link = alice_client.get("/keys", {"state": "active", "page": "2"}, headers=HTMX)
    assert by_link["HX-Push-Url"] == "/keys?state=active&page=2"
    assert "HX-Replace-Url" not in by_link
    assert names_of(by_filter) == names_of(by_link) == ["Cherry", "apple", "Banana"]


def test_last_use_is_shown_to_the_minute_with_its_origin(shop: Account, alice_client: Client) -> None:
    page = alice_client.get("/keys")
    assertContains(page, "23 Nov, 12:00")  # In Hanoi.
    assertContains(page, "https://cherry.example.com")
    assertContains(page, "203.0.113.8")
    assert page.content.decode().count("Never") == 3


def test_limits_of_a_key_are_seen_at_a_glance(alice: Account, alice_client: Client) -> None:
    geocode = Service.objects.get(slug="geocode")
    make_key(alice, services=[geocode.pk], limits=KeyLimits(2, 100, 9_000, 12_500_000))
    page = alice_client.get("/keys")
    for note in ("Geocode v1 only", "9,000 a month", "$12.50 a month", "rate 2"):
        assertContains(page, f'<span class="tag tag-limit">{note}</span>')


def test_other_pages_are_reached_by_links_that_keep_the_state(alice: Account, alice_client: Client) -> None:
    for number in range(101):
        make_key(alice, name=f"Key {number:03}")
    page = alice_client.get("/keys", {"sort": "oldest", "type": "rest", "page": "2"}).content.decode()
    links = dict(re.findall(r'rel="(prev|next)" href="(.*?)"', page))
    assert links == {"prev": "/keys?type=rest&amp;sort=oldest", "next": "/keys?type=rest&amp;sort=oldest&amp;page=3"}
    assert "51 to 100 of 101" in page


@pytest.mark.parametrize("query", [{}, {"q": "Key"}, {"state": "active", "sort": "used", "type": "rest"}])
def test_list_asks_as_often_whatever_is_asked_of_it(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, query: dict[str, str]
) -> None:
    geocode = Service.objects.get(slug="geocode")
    for number in range(8):
        key = make_key(alice, name=f"Key {number}", restrictions=["example.com"], services=[geocode.pk]).key
        key_uses_note([LastUse(key.pk, T0, "https://example.com", "203.0.113.7")])
    # Session, user, account; keys found, keys, restrictions, services; the bell; where filtered, all keys.
    with django_assert_num_queries(9 if query else 8):
        assert len(names(alice_client, **query)) == 8


def test_list_that_only_reports_is_marked_and_others_are_not(alice: Account, alice_client: Client) -> None:
    make_key(alice, restrictions=["example.com"])
    assertNotContains(alice_client.get("/keys"), "Report only")
    make_key(alice, restrictions=["example.com"], restrictions_mode="report_only")
    assertContains(alice_client.get("/keys"), '<span class="state state-warn keys-mode">Report only</span>', count=1)
