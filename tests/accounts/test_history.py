"""The history page and its exports: filters, pages, files."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from accounts.actors import Actor, acting
from accounts.audit_actions import ActorKind
from accounts.history_views import PAGE_SIZE
from accounts.models import Account, AuditEntry
from accounts.services import account_rename
from tests.factories import make_key

pytestmark = pytest.mark.django_db

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def shown(client: Client, **query: str | int) -> list[str]:
    """The actions of the page's rows, newest first."""
    return [entry.action for entry, _ in client.get("/account/history", query).context["rows"]]


def content(client: Client, format: str, **query: str | int) -> str:
    response = client.get(f"/account/history.{format}", query)
    assert response.status_code == 200
    return response.getvalue().decode()


def entry_at(account: Account, at: datetime, name: str = "") -> AuditEntry:
    fields = {"actor_kind": "member", "actor_name": "bob@example.com", "object_kind": "key", "object_id": 7}
    [entry] = AuditEntry.objects.bulk_create(
        [AuditEntry(account=account, at=at, action="key.created", object_name=name, **fields)]
    )
    return entry


def test_history_is_one_account_s_newest_first(alice: Account, alice_client: Client, charlie: Account) -> None:
    make_key(alice, name="Shop front")
    make_key(charlie, name="Of a stranger")
    assert shown(alice_client) == ["key.created", "account.opened"]
    page = alice_client.get("/account/history")
    assertContains(page, "Shop front")
    assertContains(page, "Key created")
    assertNotContains(page, "Of a stranger")


def test_filters_narrow_by_person_kind_and_object(alice: Account, alice_client: Client) -> None:
    key, _ = make_key(alice).key, make_key(alice)
    with acting(lambda: Actor(ActorKind.MEMBER, "bob@example.com", 1)):
        account_rename(account=alice, name="By Bob")
    assert shown(alice_client, person="bob@example.com") == ["account.renamed"]
    assert shown(alice_client, person="eve@example.com") == []
    assert shown(alice_client, kind="key") == ["key.created", "key.created"]
    assert shown(alice_client, kind="key", object_id=key.pk) == ["key.created"]
    assertContains(alice_client.get("/account/history"), '<option value="bob@example.com">bob@example.com</option>')


def test_period_is_cut_in_the_installation_s_zone_both_days_included(alice: Account, alice_client: Client) -> None:
    midnight = datetime(2026, 3, 10, tzinfo=HANOI)
    for at in (midnight - timedelta(seconds=1), midnight, midnight + timedelta(days=1, seconds=-1)):
        entry_at(alice, at)
    entry_at(alice, midnight + timedelta(days=1))
    assert len(shown(alice_client, first="2026-03-10", last="2026-03-10")) == 2
    assert len(shown(alice_client, last="2026-03-10")) == 3
    assert len(shown(alice_client, first="2026-03-10", last="2026-03-11")) == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"first": "yesterday"}, "That is not a day. Write it as 2026-11-23."),
        ({"first": "0001-01-01"}, "There is no history of that day."),
        ({"last": "9999-12-31"}, "There is no history of that day."),
        ({"first": "2026-03-11", "last": "2026-03-10"}, "The first day comes after the last."),
        ({"kind": "moon"}, "moon is not one of"),
        ({"before": "x"}, ""),
        ({"before": "9" * 40}, ""),
        ({"object_id": "-1"}, ""),
        ({"person": "a\x00b"}, "Null characters"),
    ],
)
def test_bad_filters_are_told_and_kept(alice_client: Client, query: dict[str, str], message: str) -> None:
    response = alice_client.get("/account/history", query)
    assertContains(response, message, status_code=422)
    assert response.context["rows"] == []
    assert alice_client.get("/account/history.csv", query).status_code == 422


def test_pages_follow_a_cursor_and_miss_nothing_though_more_is_added(alice: Account, alice_client: Client) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(
            account=alice,
            at=timezone.now(),
            actor_kind="system",
            actor_name="G",
            action="key.edited",
            object_kind="key",
        )
        for _ in range(2 * PAGE_SIZE + 3)
    )
    total, seen, query = AuditEntry.objects.count(), [], "kind="
    for _ in range(10):
        response = alice_client.get(f"/account/history?{query}")
        seen += [entry.pk for entry, _ in response.context["rows"]]
        make_key(alice)
        query = response.context["older"]
        if not query:
            break
    assert len(seen) == len(set(seen)) == total
    assert seen == sorted(seen, reverse=True)


def test_page_asks_as_often_for_many_entries_as_for_one(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n_keys in (1, 10):
        for _ in range(n_keys):
            make_key(alice)
        with django_assert_num_queries(6):  # Session, user, account; people, entries; the bell.
            alice_client.get("/account/history")


def test_csv_has_what_the_page_has_and_runs_no_formula(alice: Account, alice_client: Client) -> None:
    make_key(alice, name="=HYPERLINK(1)", restrictions=["example.com"])
    rows = list(csv.DictReader(StringIO(content(alice_client, "csv"))))
    assert [row["action"] for row in rows] == ["key.created", "account.opened"]
    assert rows[0]["object"] == "'=HYPERLINK(1)"
    assert rows[0]["changes"] == "type:  → rest; restrictions:  → http*://example.com/*"
    assert rows[0]["who"] == "Goongdash"


def test_json_has_from_and_to(alice: Account, alice_client: Client) -> None:
    account_rename(account=alice, name="Bản đồ")
    newest, *_ = json.loads(content(alice_client, "json"))
    assert (newest["action"], newest["changes"]) == ("account.renamed", {"name": ["Alice Maps", "Bản đồ"]})
    assert json.loads(content(alice_client, "json", person="nobody")) == []


def test_export_is_filtered_as_the_page_is(alice: Account, alice_client: Client) -> None:
    make_key(alice)
    assert [row["action"] for row in json.loads(content(alice_client, "json", kind="key"))] == ["key.created"]


def test_export_is_of_known_formats_only(alice_client: Client) -> None:
    assert alice_client.get("/account/history.exe").status_code == 404
    assert alice_client.post("/account/history.csv").status_code == 405
