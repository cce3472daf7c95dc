"""Keys that took each other's place are one key in the statistics, whichever of them is asked for."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from keys.models import ApiKey
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.services import CreatedKey, key_revoke
from tests.factories import T0, make_event, make_key
from tests.road import copies, store
from tests.stats.plans import no_scan_of_big_tables

NOON = T0 + timedelta(hours=2)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("stats.views.utc_now", "stats.rollups.utc_now"):
        monkeypatch.setattr(module, lambda: NOON)


@pytest.fixture
def new(alice: Account) -> ApiKey:
    """The key in the place of another, "Shop": two requests with the new one, three with the old, four with "App"."""
    shop, app = make_key(alice, name="Shop"), make_key(alice, name="App")
    successor = key_rotate(key=shop.key, overlap=Overlap.WEEK).rotation.new
    renewed = CreatedKey(successor, "")
    store(*copies(make_event(renewed), 2), *copies(make_event(shop), 3), *copies(make_event(app), 4))
    return successor


def series(client: Client, query: str) -> dict[str, int]:
    page = client.get(f"/statistics?{query}").content.decode()
    match = re.search(r'data-chart="([^"]*)"', page)
    assert match is not None
    drawn: list[dict[str, Any]] = json.loads(html.unescape(match[1]))["series"]
    return {each["label"]: sum(each["values"]) for each in drawn}


def test_a_rotated_key_is_one_with_the_key_before_it(alice_client: Client, new: ApiKey) -> None:
    with no_scan_of_big_tables():
        assert series(alice_client, "by=key") == {"Shop – with its rotations": 5, "App": 4}


def test_either_key_of_a_lineage_stands_for_both(alice_client: Client, new: ApiKey) -> None:
    for pk in (new.pk, new.counted_id):
        assert series(alice_client, f"key={pk}&by=key") == {"Shop – with its rotations": 5}
        assert sum(series(alice_client, f"key={pk}").values()) == 5


def test_it_is_called_by_the_newest_that_is_not_deleted(alice_client: Client, new: ApiKey) -> None:
    assert f"key={new.pk}" in alice_client.get("/statistics?by=key").content.decode()
    key_revoke(key=new)
    assert f"key={new.counted_id}" in alice_client.get("/statistics?by=key").content.decode()
    key_revoke(key=ApiKey.objects.get(pk=new.counted_id))
    assert series(alice_client, "by=key") == {"Shop – with its rotations – deleted": 5, "App": 4}


def test_exports_have_one_row_for_both(alice_client: Client, new: ApiKey) -> None:
    response = alice_client.get("/statistics.csv?by=key")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [(row["group"], row["requests"]) for row in rows if row["requests"] == "5"] == [(str(new.pk), "5")]
    assert len(rows) == 2


def test_filter_offers_one_key_for_both_and_keeps_what_is_chosen(alice_client: Client, new: ApiKey) -> None:
    def offered(query: str) -> set[str]:
        return set(
            re.findall(r'name="key" value="([0-9]+)"', alice_client.get(f"/statistics?{query}").content.decode())
        )

    assert str(new.pk) in offered("") and str(new.counted_id) not in offered("")
    assert {str(new.pk), str(new.counted_id)} <= offered(f"key={new.counted_id}")
