"""The page of one request: what bound it, what it says of changes since, what it offers to whom."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.models import Account, AuditEntry, Plan
from accounts.services import account_set_plan
from keys.guarding import key_block_origin, key_cut
from keys.limits import KeyLimits
from keys.models import ApiKey
from keys.services import CreatedKey, key_revoke, key_set_restrictions, key_update
from stats.explained import recent_refusals
from stats.outcomes import Outcome
from tests.factories import T0, make_event, make_key, make_member
from tests.road import store

pytestmark = pytest.mark.django_db

NOON = T0 + timedelta(hours=2)
THIEF = "https://thief.test"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("stats.request_views.utc_now", lambda: NOON)
    monkeypatch.setattr("keys.services.utc_now", lambda: NOON)
    monkeypatch.setattr("accounts.audit.utc_now", lambda: NOON)
    return NOON


def refused(created: CreatedKey, outcome: Outcome = Outcome.ORIGIN_NOT_ALLOWED, **options: Any) -> str:
    """The URL of the page of a refused request, stored."""
    event = make_event(created, outcome=outcome, **{"origin": THIEF, **options})
    store(event)
    return f"/requests/{event.request_id}"


def text(client: Client, url: str) -> str:
    """What the page's main part says, without its markup."""
    response = client.get(url)
    assert response.status_code == 200
    page = html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
    return " ".join(page.split())


def edit(created: CreatedKey, **changes: Any) -> None:
    key = ApiKey.objects.get(pk=created.key.pk)
    as_it_is = {
        "name": key.name,
        "description": key.description,
        "restrictions": [each.text for each in key.restrictions.all()],
        "restrictions_mode": key.restrictions_mode,
        "allows_no_origin": key.allows_no_origin,
        "services": [service.pk for service in key.services.all()],
        "limits": key.limits,
        "expires_at": key.expires_at,
    }
    key_update(key=key, version=key.version, **{**as_it_is, **changes})


def offered(client: Client, url: str) -> dict[str, str]:
    """The repairs' labels and where they lead."""
    return {link.label: link.url for link in client.get(url).context["repairs"]}


def test_page_tells_everything_that_is_known(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Web shop", restrictions=["https://shop.test/*", "198.51.100.0/24"])
    url = refused(key)
    said = text(alice_client, url)
    for part in (
        "It came from https://thief.test, and no entry of the key’s list lets that pass.",
        "thief.test is not shop.test.",
        "The address that it came from is not this one, or not in this range.",
        "23 November 2026, 10:00:00 Asia/Ho_Chi_Minh",
        "403 ORIGIN_NOT_ALLOWED",
        "Geocode v1",
        "Web shop",
        "203.0.113.x",
        url.rpartition("/")[2],
    ):
        assert part in said
    assert "203.0.113.7" not in said and "changed since" not in said


def test_repair_of_a_forbidden_origin_opens_the_key_with_the_entry_added(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=["https://shop.test/*"])
    links = offered(alice_client, refused(key))
    assert list(links) == ["Allow https://thief.test", "Change the key’s list"]
    dialog = alice_client.get(links["Allow https://thief.test"], headers={"HX-Request": "true"})
    assertContains(dialog, 'value="https://shop.test/*"')
    assertContains(dialog, 'value="https://thief.test/*"')
    assertContains(dialog, 'data-tabs-open="tab-restrictions"')
    assert [each.text for each in key.key.restrictions.all()] == ["https://shop.test/*"]


def test_entry_that_is_on_the_list_already_is_not_offered_twice(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=["https://shop.test/*"]).key
    dialog = alice_client.get(f"/keys/{key.pk}/edit?allow=https://shop.test", headers={"HX-Request": "true"})
    assertContains(dialog, 'value="https://shop.test/*"', count=1)


def test_server_s_address_is_offered_where_addresses_are_shown(
    alice: Account, alice_client: Client, settings: Settings
) -> None:
    url = refused(make_key(alice, restrictions=["https://shop.test/*", "198.51.100.7"]), origin="")
    assert list(offered(alice_client, url)) == ["Change the key’s list"]
    settings.SHOW_WHOLE_ADDRESSES = True
    assert list(offered(alice_client, url)) == ["Allow 203.0.113.7", "Change the key’s list"]
    assert "203.0.113.7 is another address." in text(alice_client, url)


def test_list_is_told_as_it_was_and_that_it_was_changed_since(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=["https://old.test/*"])
    url = refused(key)
    key_set_restrictions(key=key.key, restrictions=["https://older.test/*"])
    edit(key, restrictions=["https://newest.test/*"])
    said = text(alice_client, url)
    assert "https://old.test/*" in said
    assert "https://older.test/*" not in said and "https://newest.test/*" not in said
    assert "changed since, the last time on 23 November 2026, 12:00" in said
    assert "would be refused today as well" in said


def test_what_has_been_repaired_asks_for_no_repair(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=["https://shop.test/*"])
    url = refused(key)
    edit(key, restrictions=["https://shop.test/*", f"{THIEF}/*"])
    said = text(alice_client, url)
    assert "Such a request would not be refused for this reason today." in said
    assert "Nothing: what refused it has been changed since." in said
    assert offered(alice_client, url) == {}
    key_revoke(key=key.key)
    assert "Nothing: what refused it" not in text(alice_client, url)


def test_list_that_the_history_has_cut_is_told_as_it_is(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=[f"https://s{n}.test/*" for n in range(30)])
    url = refused(key)
    edit(key, restrictions=["https://now.test/*"])
    said = text(alice_client, url)
    assert "longer than the history of changes keeps" in said and "https://now.test/*" in said


def test_path_of_the_page_is_compared_as_it_was_sent(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=[f"{THIEF}/maps/*"])
    assert "The page’s path is /shop, the entry is for /maps/*." in text(alice_client, refused(key, page_path="/shop"))
    assert "only “/” was sent" in text(alice_client, refused(key))


def test_what_a_list_for_report_only_would_refuse_is_marked_and_explained(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=["https://shop.test/*"], restrictions_mode="report_only")
    event = make_event(key, origin=THIEF, would_refuse=True)
    store(event, make_event(key, origin="https://shop.test"))
    said = text(alice_client, f"/requests/{event.request_id}")
    assert "Enforced, the list would have refused it." in said and "thief.test is not shop.test." in said
    assert "Allow https://thief.test" in offered(alice_client, f"/requests/{event.request_id}")
    log = alice_client.get("/requests", {"outcome": "would_refuse"})
    assert [row.record.origin for row in log.context["rows"]] == [THIEF]
    assertContains(log, "the list would refuse it")


def test_origin_that_is_blocked_is_told_so_and_what_it_was_before(alice: Account, alice_client: Client) -> None:
    key = make_key(alice)
    blocked_then = refused(key)
    key_block_origin(key=key.key, origin=THIEF)
    assert "would be refused today as well" in text(alice_client, blocked_then)
    later = refused(key, at=NOON + timedelta(minutes=1))
    assert "which is blocked on this key, whatever the list says." in text(alice_client, later)
    assert offered(alice_client, later) == {"Unblock it on the key’s page": f"/keys/{key.key.pk}"}


def test_key_that_was_cut_for_its_use_is_told_so(alice: Account, alice_client: Client) -> None:
    key = make_key(alice)
    key_cut(key=key.key, quota=50, at=NOON)
    url = refused(key, Outcome.DAILY_QUOTA, at=NOON + timedelta(minutes=1))
    assert "The key was cut to 50 requests that day" in text(alice_client, url)
    assert offered(alice_client, url) == {"Lift what was done to the key": f"/keys/{key.key.pk}/lift"}
    ApiKey.objects.update(spiked_at=None, spike_quota=None)
    assert "The key’s 1,000 requests" in text(alice_client, url)


def test_wrong_type_leads_to_a_key_of_the_right_one(alice: Account, alice_client: Client) -> None:
    url = refused(make_key(alice), Outcome.KEY_TYPE, service="map-load")
    assert offered(alice_client, url) == {"Create a map tiles key": "/keys/new?type=tiles"}
    dialog = alice_client.get("/keys/new?type=tiles", headers={"HX-Request": "true"}).content.decode()
    assert re.search(r'value="tiles"[^>]*checked', dialog)


def test_limit_is_named_with_its_number_and_whose_it_is(alice: Account, alice_client: Client) -> None:
    plain, own = make_key(alice), make_key(alice, limits=KeyLimits(requests_per_day=20))
    by_plan, by_key = refused(plain, Outcome.DAILY_QUOTA), refused(own, Outcome.DAILY_QUOTA)
    assert "The key’s 1,000 requests of that day were used up: the plan’s limit." in text(alice_client, by_plan)
    assert list(offered(alice_client, by_plan)) == ["Compare the plans"]
    assert "The key’s 20 requests of that day were used up: the key’s own limit." in text(alice_client, by_key)
    assert list(offered(alice_client, by_key)) == ["Change the key’s limits"]
    edit(own, limits=KeyLimits(requests_per_day=300))
    said = text(alice_client, by_key)
    assert "The key’s 20 requests" in said and "changed since" in said


def test_change_of_the_plan_is_told_where_its_limit_bound(alice: Account, alice_client: Client) -> None:
    url = refused(make_key(alice), Outcome.MONTHLY_QUOTA)
    assert "changed since" not in text(alice_client, url)
    account_set_plan(account=alice, plan=Plan.objects.exclude(pk=alice.plan_id)[0])
    assert "changed since" in text(alice_client, url)


def test_part_of_a_map_is_told_its_own_rate(alice: Account, alice_client: Client) -> None:
    url = refused(make_key(alice, "tiles"), Outcome.RATE_LIMIT, service="tiles")
    assert "More than 500 requests came within a second" in text(alice_client, url)


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.ALLOWED])
def test_every_outcome_has_a_page(alice: Account, alice_client: Client, outcome: Outcome) -> None:
    assert "What to do" in text(alice_client, refused(make_key(alice), outcome))


def test_allowed_request_has_a_page_and_nothing_to_do(alice: Account, alice_client: Client) -> None:
    event = make_event(make_key(alice))
    store(event)
    said = text(alice_client, f"/requests/{event.request_id}")
    assert "An allowed request" in said and "$0.005" in said and "What to do" not in said


def test_request_with_a_deleted_key_is_explained(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, restrictions=["https://shop.test/*"])
    url = refused(key)
    key_revoke(key=key.key)
    assert offered(alice_client, url) == {}
    assertContains(alice_client.get(url), f"/keys/{key.key.pk}/receipt")


def test_unknown_id_and_a_stranger_s_look_alike(charlie_client: Client, alice: Account) -> None:
    url = refused(make_key(alice))
    theirs, unknown = charlie_client.get(url), charlie_client.get("/requests/019abcde-1234-7abc-8def-0123456789ab")
    assert theirs.status_code == unknown.status_code == 404

    def without_id(content: bytes) -> str:
        return re.sub(r"[0-9a-f-]{36}|\w{64}", "", content.decode())

    assert without_id(theirs.content) == without_id(unknown.content)
    for part in ("carried no key", "up to 3 seconds", "older than 35 days", "another account"):
        assertContains(unknown, part, status_code=404)


def test_whatever_was_pasted_leads_to_the_page(alice: Account, alice_client: Client) -> None:
    url = refused(make_key(alice))
    request_id = url.rpartition("/")[2]
    for pasted in (request_id, f"x-request-id: {request_id}", f'{{"request_id": "{request_id}"}}'):
        assertRedirects(alice_client.get("/requests/find", {"id": pasted}), url)
    assertRedirects(alice_client.get("/requests/find"), "/requests")
    none = alice_client.get("/requests/find", {"id": "<b>RATE_LIMIT"})
    assertContains(none, "There is no request id in what you entered.", status_code=404)
    assertContains(none, 'value="&lt;b&gt;RATE_LIMIT"', status_code=404)


def test_role_that_may_not_repair_is_told_whom_to_ask(alice: Account) -> None:
    url = refused(make_key(alice, restrictions=["https://shop.test/*"]))
    client = Client()
    client.force_login(make_member(alice, "viewer").user)
    page = client.get(url)
    assert page.context["repairs"] == []
    assertContains(page, "Your role does not allow this change.")
    assertNotContains(page, "History of the key")


def test_origin_of_a_thief_does_no_harm(alice: Account, alice_client: Client) -> None:
    url = refused(make_key(alice, restrictions=["https://shop.test/*"]), origin='https://"><script>x.test')
    assertNotContains(alice_client.get(url), "<script>x.test")
    assert list(offered(alice_client, url)) == ["Change the key’s list"]


def test_recent_refusals_come_with_reason_and_repair_in_few_queries(
    alice: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    created, other = make_key(alice, restrictions=["https://shop.test/*"]), make_key(alice)
    refused(other)
    for n in range(3):
        refused(created, at=T0 + timedelta(minutes=n))
    refused(created, Outcome.KEY_TYPE, service="map-load", at=T0 - timedelta(minutes=1))
    store(make_event(created))
    key = ApiKey.objects.prefetch_related("restrictions", "services", "blocked_origins").get(pk=created.key.pk)
    with django_assert_num_queries(2):  # Records, services.
        found = recent_refusals(alice, key, 3, now=NOON)
    assert [each.record.at for each in found] == [T0 + timedelta(minutes=n) for n in (2, 1, 0)]
    assert [each.repairs[0].label for each in found] == ["Allow https://thief.test"] * 3
    found = recent_refusals(alice, key, 9, now=NOON)
    assert [each.outcome for each in found][3:] == [Outcome.KEY_TYPE]


def test_page_asks_as_often_however_long_list_and_history_are(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = make_key(alice, restrictions=["https://s.test/*"])
    url = refused(key)
    for n in (1, 9):
        for _ in range(n):
            audit(AuditAction.KEY_EDITED, account=alice, on=key.key, changes={"rate_limit": (1, 2)})
        # Session, user, account; record, key, its three lists, service, history of key and account; notices.
        with django_assert_num_queries(12):
            alice_client.get(url)
    assert AuditEntry.objects.count() > 10


def test_page_of_a_key_has_its_refusals_each_with_its_repair(alice: Account, alice_client: Client) -> None:
    created = make_key(alice, restrictions=["https://shop.test/*"])
    url = f"/keys/{created.key.pk}/refusals"
    assertContains(alice_client.get(url, headers={"HX-Request": "true"}), "No refusals")
    page = refused(created)
    part = alice_client.get(url, headers={"HX-Request": "true"})
    assertContains(part, f'href="{page}"')
    assertContains(part, f'hx-get="/keys/{created.key.pk}/edit?allow=https%3A%2F%2Fthief.test%2F%2A"')
    assertRedirects(alice_client.get(url), f"/requests?key={created.key.pk}&outcome=refused")


def test_request_that_a_list_for_report_only_would_refuse_says_so(alice: Account, alice_client: Client) -> None:
    created = make_key(alice, restrictions=["example.com"], restrictions_mode="report_only")
    url = refused(created, Outcome.ALLOWED, would_refuse=True)
    assert "it would have refused the request for its origin" in text(alice_client, url)
    assert "list would refuse" in text(alice_client, "/requests")
