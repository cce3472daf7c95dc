"""A key's own page: what it shows of a key in each state and to each role, its tabs, and what dialogs bring along."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.asserts import assertContains, assertNotContains

from accounts.models import Account, AuditEntry, Role
from goongdash.lib.clock import utc_now
from keys.key_page import CAUTIONS, HISTORY_SIZE, SNIPPET_LABELS
from keys.last_use import LastUse, key_uses_note
from keys.limits import KeyLimits
from keys.models import ApiKey, Service
from keys.services import key_revoke, key_set_restrictions
from keys.snippets import Caution, snippets
from tests.factories import T0, make_key, make_member, owner_of

HTMX = {"HX-Request": "true"}


def url_of(key: ApiKey, query: str = "") -> str:
    return reverse("keys:key", args=[key.pk]) + query


def use(key: ApiKey) -> None:
    key_uses_note([LastUse(key.pk, T0, "https://shop.example.com", "203.0.113.7")])


def viewer_of(account: Account) -> Client:
    client = Client()
    client.force_login(make_member(account, Role.VIEWER).user)
    return client


def test_head_says_which_key_it_is_and_what_it_may(alice: Account, alice_client: Client) -> None:
    created = make_key(
        alice,
        name="Cửa hàng",
        description="Of the shop",
        restrictions=["shop.example.com"],
        services=[Service.objects.get(slug="geocode").pk],
        limits=KeyLimits(rate_limit=3),
        expires_at=utc_now() + timedelta(days=400),
        created_by=owner_of(alice),
    )
    use(created.key)
    page = alice_client.get(url_of(created.key))
    for words in (
        *("Cửa hàng", "Of the shop", created.key.masked_text, "API key", "Active", "until", "by alice@example.com"),
        *("http*://shop.example.com/*", "Geocode v1 only", "rate 3", "23 Nov, 10:00"),
        *("https://shop.example.com", f"/keys/{created.key.pk}/edit", f"/keys/{created.key.pk}/delete"),
    ):
        assertContains(page, words)
    assertNotContains(page, created.text)


def test_list_leads_to_the_page_of_each_key(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Storefront").key
    assertContains(alice_client.get("/keys"), f'<a href="/keys/{key.pk}" class="cell-title">Storefront</a>')


def test_page_of_a_used_key_opens_on_its_use_and_of_an_unused_one_on_the_start(
    alice: Account, alice_client: Client
) -> None:
    key = make_key(alice).key
    assert alice_client.get(url_of(key)).context["tab"] == "start"
    use(key)
    assert alice_client.get(url_of(key)).context["tab"] == "use"
    assert alice_client.get(url_of(key, "?tab=history")).context["tab"] == "history"
    for nonsense in ("?tab=x", "?tab=", "?before=-1", "?period=<script>"):
        page = alice_client.get(url_of(key, nonsense))
        assert page.context["tab"] == "use"
        assertNotContains(page, "<script>alert")


def test_tab_for_htmx_is_the_part_that_the_page_includes(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    for tab in ("use", "start", "history"):
        page = alice_client.get(url_of(key, f"?tab={tab}&period=30d"))
        fragment = alice_client.get(url_of(key, f"?tab={tab}&period=30d"), headers=HTMX)
        assert fragment.content.decode().strip() in page.content.decode()
        assertContains(fragment, f'id="key-tab-{tab}" href="?tab={tab}&amp;period=30d"')
        assert "HX-Request" in page["Vary"]


def test_parts_made_of_usage_are_asked_for_with_the_period_of_the_address(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    page = alice_client.get(url_of(key, "?tab=use&period=90d"))
    assertContains(page, f'hx-get="/keys/{key.pk}/use?period=90d"')
    assertContains(page, f'hx-get="/keys/{key.pk}/origins"')


# ---- Programs ----


def test_programs_have_the_masked_text_only_and_viewers_no_button(
    alice: Account, alice_client: Client, settings: Settings
) -> None:
    settings.GATE_PUBLIC_URL = "https://api.example.vn"
    created = make_key(alice)
    page = alice_client.get(url_of(created.key, "?tab=start"))
    assertContains(page, "data-snippets-show")
    assertContains(page, "https://api.example.vn/Geocode")
    assertNotContains(page, created.text)
    page = viewer_of(alice).get(url_of(created.key, "?tab=start"))
    assertContains(page, "https://api.example.vn/Geocode")
    for forbidden in ("data-snippet-copy", "data-snippets-show", "data-key-show", "/edit", "/delete", created.text):
        assertNotContains(page, forbidden)


def test_key_without_an_example_leads_to_the_documentation(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, services=[Service.objects.get(slug="static-map").pk]).key
    page = alice_client.get(url_of(key, "?tab=start"))
    assertContains(page, "No example for these services")
    assertNotContains(page, "data-snippets-show")


@pytest.mark.parametrize(
    ("restrictions", "cautions"),
    [
        ([], {}),
        (
            ["example.com"],
            {"goong-sdk": Caution.NEEDS_ADDRESS, "python": Caution.NEEDS_ADDRESS, "fetch": Caution.FROM_SITE},
        ),
        (
            ["203.0.113.7"],
            {
                **dict.fromkeys(("curl", "goong-sdk", "python"), Caution.FROM_ADDRESS),
                "fetch": Caution.NEEDS_SITE,
            },
        ),
        (
            ["203.0.113.7", "example.com"],
            {"goong-sdk": Caution.FROM_ADDRESS, "python": Caution.FROM_ADDRESS, "fetch": Caution.FROM_SITE},
        ),
    ],
)
def test_programs_say_what_the_restriction_list_makes_of_them(
    restrictions: list[str], cautions: dict[str, Caution]
) -> None:
    found = snippets(gate_url="https://g.vn", key_type="rest", key_text="K", restrictions=restrictions)
    assert {each.name: each.caution for each in found if each.caution} == cautions
    assert {each.name for each in found} <= SNIPPET_LABELS.keys()
    assert CAUTIONS.keys() == set(Caution)


def test_key_that_lets_no_origin_pass_needs_no_address_for_a_server() -> None:
    found = snippets(
        gate_url="https://g.vn", key_type="rest", key_text="K", restrictions=["example.com"], allows_no_origin=True
    )
    assert {each.name for each in found if each.caution} == {"fetch"}


# ---- History ----


def test_history_is_this_key_s_newest_first_and_in_pages(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=["example.com"]).key
    for n in range(HISTORY_SIZE):
        key_set_restrictions(key=key, restrictions=[f"s{n}.example.com"])
    make_key(alice, name="Another")
    first = alice_client.get(url_of(key, "?tab=history"))
    assertContains(first, f"http*://s{HISTORY_SIZE - 1}.example.com/*")
    assertNotContains(first, "Another")
    assertNotContains(first, "Key created")
    [older] = re.findall(r'rel="next" href="(.*?)"', first.content.decode())
    second = alice_client.get(url_of(key, older.replace("&amp;", "&")))
    assertContains(second, "Key created")
    assertContains(second, "Newest")
    assert AuditEntry.objects.filter(object_kind="key", object_id=key.pk).count() == HISTORY_SIZE + 1


def test_viewer_sees_the_history_of_a_key(alice: Account) -> None:
    key = make_key(alice).key
    assertContains(viewer_of(alice).get(url_of(key, "?tab=history")), "Key created")


# ---- States ----


def test_deleted_key_keeps_its_page_without_actions_and_programs(alice: Account, alice_client: Client) -> None:
    created = make_key(alice, name="Gone")
    key_revoke(key=created.key)
    for query in ("", "?tab=start", "?tab=history"):
        page = alice_client.get(url_of(created.key, query))
        assertContains(page, "was deleted on")
        assertContains(page, f"/keys/{created.key.pk}/receipt")
        for gone in ("/edit", "data-key-show", "Quick start", 'id="delete-key"'):
            assertNotContains(page, gone)
    assertContains(page, "Key deleted")
    assert alice_client.get(url_of(created.key, "?tab=start")).context["tab"] == "use"
    assertContains(alice_client.get("/keys/deleted"), f'href="/keys/{created.key.pk}"')


@pytest.mark.parametrize(("field", "words"), [("expires_at", "This key expired on"), ("disabled_at", "switched off")])
def test_key_that_is_refused_says_so_first(alice: Account, alice_client: Client, field: str, words: str) -> None:
    key = make_key(alice).key
    ApiKey.objects.filter(pk=key.pk).update(**{field: utc_now() - timedelta(days=1)})
    assertContains(alice_client.get(url_of(key)), words)


# ---- Who, how, how often ----


def test_stranger_does_not_find_the_page(alice: Account, alice_client: Client, charlie_client: Client) -> None:
    key = make_key(alice).key
    assert charlie_client.get(url_of(key)).status_code == 404
    assert alice_client.get(f"/keys/{10**30}").status_code == 404
    assert alice_client.post(url_of(key)).status_code == 405


def test_names_are_text_and_never_markup(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="<script>alert(1)</script>", description='"><img src=x>').key
    for tab in ("use", "start", "history"):
        page = alice_client.get(url_of(key, f"?tab={tab}"))
        assertNotContains(page, "<script>alert")
        assertNotContains(page, "<img src=x>")


@pytest.mark.parametrize("n", [1, 8])
def test_page_asks_the_database_as_often_for_much_as_for_little(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, n: int
) -> None:
    key = make_key(alice, restrictions=[f"s{i}.example.com" for i in range(n)]).key
    for i in range(n):
        key_set_restrictions(key=key, restrictions=[f"t{i}.example.com"])
    for tab, n_queries in {"use": 8, "start": 8, "history": 9}.items():
        with django_assert_num_queries(
            n_queries
        ):  # Session, user, account, notices; key, restrictions, services, rotation.
            assert alice_client.get(url_of(key, f"?tab={tab}")).status_code == 200


# ---- What a dialog on the page brings along ----


def on(path: str) -> dict[str, str]:
    return {**HTMX, "HX-Current-URL": f"http://testserver{path}"}


def test_edit_on_the_page_brings_the_page_anew_on_the_tab_that_it_shows(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Before").key
    page = alice_client.post(
        reverse("keys:edit", args=[key.pk]),
        {"version": key.version, "name": "After"},
        headers=on(url_of(key, "?tab=history")),
    )
    assertContains(page, 'id="key-page" hx-swap-oob="true"')
    assertContains(page, "Key edited")
    assertNotContains(page, 'id="keys"')


def test_delete_on_the_page_brings_it_as_that_of_a_deleted_key(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    page = alice_client.post(reverse("keys:delete", args=[key.pk]), headers=on(url_of(key)))
    assertContains(page, "The key is gone")
    assertContains(page, "was deleted on")
    assertNotContains(page, 'id="delete-key"')


def test_key_made_on_the_page_of_another_leaves_the_address(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    created = {"key_type": "tiles", "name": "Map"}
    page = alice_client.post("/keys/new", created, headers=on(url_of(key)))
    assertContains(page, "works from now on")
    assertContains(page, 'id="key-page"')
    assert "HX-Replace-Url" not in page
    assert alice_client.post("/keys/new", created, headers=on("/keys?q=x"))["HX-Replace-Url"] == "/keys"


def test_page_of_a_stranger_s_key_is_never_brought_along(
    alice: Account, charlie: Account, charlie_client: Client
) -> None:
    foreign, own = make_key(alice, name="Of Alice").key, make_key(charlie).key
    page = charlie_client.post(
        reverse("keys:edit", args=[own.pk]), {"version": own.version, "name": "Mine"}, headers=on(url_of(foreign))
    )
    assertContains(page, "Mine")
    assertNotContains(page, "Of Alice")
