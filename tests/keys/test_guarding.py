from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Account, AuditEntry
from goongdash.lib.clock import utc_now
from keys import guarding
from keys.errors import OriginError
from keys.explain import explain
from keys.guarding import key_block_origin, key_cut, key_disable_for_spike, key_lift, key_unblock_origin
from keys.models import ApiKey, BlockedOrigin
from keys.origins import parse_url
from keys.restrictions import Restrictions
from keys.services import CreatedKey
from tests.factories import T0, make_key

HTMX = {"HX-Request": "true"}
EVIL = "https://evil.example"
IP = ip_address("203.0.113.7")


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice, name="Shop", restrictions=["evil.example", "203.0.113.7"])


def blocked() -> list[tuple[int, str]]:
    return list(BlockedOrigin.objects.values_list("key", "host"))


def actions() -> list[str]:
    return list(
        AuditEntry.objects.exclude(action__in=["key.created", "account.opened"]).values_list("action", flat=True)
    )


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        ("https://evil.example", False),
        ("http://evil.example:8080/page", False),
        ("https://EVIL.example.", False),
        ("https://www.evil.example", True),
        ("https://fine.example", True),
        (None, True),
    ],
)
def test_blocked_host_is_refused_before_the_list_is_looked_at(origin: str | None, passes: bool) -> None:
    page = None if origin is None else parse_url(origin)
    for entries in ([], ["*", "203.0.113.7"]):
        restrictions = Restrictions.of(entries, allows_no_origin=True, blocked=["evil.example"])
        assert restrictions.allow(page, IP) is passes
        assert restrictions.blocks(page) is not passes


def test_tester_says_that_an_origin_is_blocked(key: CreatedKey, alice_client: Client) -> None:
    patterns = Restrictions.of(["evil.example"]).patterns
    explanation = explain(patterns, origin=parse_url(EVIL), ip=None, blocked=["evil.example"])
    assert (explanation.is_allowed, explanation.entries[0].is_match) == (False, True)
    asked = {"restrictions": ["evil.example"], "try_url": EVIL, "blocked": ["evil.example"]}
    answer = alice_client.post("/keys/check-list", asked)
    assertContains(answer, "evil.example is blocked on this key, whatever the list says.")


def test_blocking_twice_blocks_once(key: CreatedKey) -> None:
    assert key_block_origin(key=key.key, origin=EVIL)
    assert not key_block_origin(key=key.key, origin="http://EVIL.example:81/x")
    assert blocked() == [(key.key.pk, "evil.example")]
    assert key_unblock_origin(key=key.key, host="evil.example")
    assert not key_unblock_origin(key=key.key, host="evil.example")
    assert blocked() == []
    assert actions() == ["key.origin_unblocked", "key.origin_blocked"]


def test_blocked_origins_are_bounded_and_are_origins(key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "MAX_BLOCKED", 1)
    key_block_origin(key=key.key, origin=EVIL)
    for origin in ("https://other.example", "evil", "", "*"):
        with pytest.raises(OriginError):
            key_block_origin(key=key.key, origin=origin)
    assert blocked() == [(key.key.pk, "evil.example")]


def test_every_change_is_announced(
    key: CreatedKey, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        key_block_origin(key=key.key, origin=EVIL)
        key_unblock_origin(key=key.key, host="evil.example")
        key_cut(key=key.key, quota=5, at=utc_now())
        key_lift(key=key.key)
    assert len(waiting) == 4


def test_lifting_gives_back_what_was_taken_and_nothing_else(key: CreatedKey) -> None:
    assert not key_lift(key=key.key)
    ApiKey.objects.update(disabled_at=T0)
    key_disable_for_spike(key=key.key, at=utc_now())
    assert not key_lift(key=key.key)
    assert ApiKey.objects.get().disabled_at == T0
    ApiKey.objects.update(disabled_at=None)
    key_disable_for_spike(key=key.key, at=utc_now())
    assert key_lift(key=key.key)
    assert ApiKey.objects.get().disabled_at is None


def test_cut_of_a_day_past_is_no_cut(key: CreatedKey) -> None:
    key_cut(key=key.key, quota=5, at=utc_now() - timedelta(days=1))
    assert not key_lift(key=key.key)


def test_dialog_asks_then_blocks_and_the_page_of_the_key_shows_it(key: CreatedKey, alice_client: Client) -> None:
    url = f"/keys/{key.key.pk}/block"
    asked = alice_client.get(url, {"origin": f"{EVIL}/page"}, headers=HTMX)
    assertContains(asked, "<strong>evil.example</strong>")
    assertContains(
        alice_client.post(url, {"origin": EVIL}, headers=HTMX), "evil.example is blocked on “Shop”, at once."
    )
    assertContains(alice_client.post(url, {"origin": EVIL}, headers=HTMX), "was blocked on “Shop” before")
    assertContains(alice_client.get(f"/keys/{key.key.pk}"), "Unblock evil.example")
    assertContains(alice_client.get(f"/keys/{key.key.pk}/edit", headers=HTMX), "Unblock evil.example")
    gone = alice_client.post(f"/keys/{key.key.pk}/unblock", {"host": "evil.example"}, headers=HTMX)
    assertContains(gone, "evil.example is not blocked any more.")
    assertNotContains(gone, "Unblock")


def test_what_is_no_origin_is_said_so(key: CreatedKey, alice_client: Client) -> None:
    url = f"/keys/{key.key.pk}/block"
    assertNotContains(alice_client.get(url, {"origin": "x"}, headers=HTMX), "Block it")
    assertContains(
        alice_client.post(url, {"origin": "x"}, headers=HTMX), "not the address of a web site", status_code=422
    )
    assertRedirects(alice_client.get(url, {"origin": EVIL}), f"/keys/{key.key.pk}")
    assert blocked() == []


def test_dialog_lifts_once(key: CreatedKey, alice_client: Client) -> None:
    url = f"/keys/{key.key.pk}/lift"
    key_cut(key=key.key, quota=1_610, at=utc_now())
    assertContains(alice_client.get(f"/keys/{key.key.pk}"), "was cut to 1,610 requests today")
    assertContains(alice_client.get("/keys"), "to 1,610 today")
    assertContains(alice_client.get(url, headers=HTMX), "Lift the cut?")
    assertContains(alice_client.post(url, headers=HTMX), "works as before, at once")
    for answer in (alice_client.post(url, headers=HTMX), alice_client.get(url, headers=HTMX)):
        assertContains(answer, "neither cut nor disabled")
    key_disable_for_spike(key=key.key, at=utc_now())
    assertContains(alice_client.get(f"/keys/{key.key.pk}"), "Enable it again")
    assertContains(alice_client.get(url, headers=HTMX), "Enable this key again?")
    assertRedirects(alice_client.get(url), f"/keys/{key.key.pk}")


def test_choice_is_kept_by_the_dialog(key: CreatedKey, alice_client: Client) -> None:
    form = {"version": key.key.version, "name": "Shop", "restrictions": ["evil.example", "203.0.113.7"]}
    alice_client.post(f"/keys/{key.key.pk}/edit", {**form, "on_spike": "disable"}, headers=HTMX)
    assert ApiKey.objects.get().on_spike == "disable"
    alice_client.post(f"/keys/{key.key.pk}/edit", {**form, "version": 2, "name": "Other"}, headers=HTMX)
    assert (ApiKey.objects.get().name, ApiKey.objects.get().on_spike) == ("Other", "disable")
    assert AuditEntry.objects.filter(changes__on_spike=["report", "disable"]).count() == 1
