from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Account
from keys.services import CreatedKey
from stats.outcomes import Outcome
from tests.factories import T0, make_event, make_key
from tests.stats.usage import push_events

NOON = T0 + timedelta(hours=2)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stats.views.utc_now", lambda: NOON)


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice, name="=Web shop")


def text_of(client: Client, query: str, format: str = "csv", status: int = 200) -> str:
    response = client.get(f"/statistics.{format}?{query}")
    assert response.status_code == status
    return b"".join(response).decode() if response.streaming else response.content.decode()


def test_csv_has_what_the_page_shows_and_no_formula(alice_client: Client, key: CreatedKey) -> None:
    refused = make_event(key, outcome=Outcome.RATE_LIMIT)
    push_events([make_event(key), make_event(key, at=T0 - timedelta(days=1)), refused])
    rows = list(csv.DictReader(io.StringIO(text_of(alice_client, "by=key"))))
    assert [row["start"] for row in rows] == ["2026-11-22", "2026-11-23"]
    assert rows[1] == {
        "start": "2026-11-23",
        "group": str(key.key.pk),
        "label": "'=Web shop",
        "requests": "2",
        "allowed": "1",
        "refused": "1",
        "units": "1",
        "cost_micro_usd": "5000",
    }


def test_json_says_what_was_asked_for_and_holds_to_the_filters(alice_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key), make_event(key, "trip")])
    told = json.loads(text_of(alice_client, "period=today&service=trip", "json"))
    assert (told["grain"], told["by"], told["filters"]) == ("hour", "service", {"service": ["trip"]})
    assert [(row["start"], row["group"], row["requests"]) for row in told["rows"]] == [
        ("2026-11-23T10:00:00+07:00", "trip", 1)
    ]


def test_every_group_is_there_by_itself(alice: Account, alice_client: Client) -> None:
    keys = [make_key(alice) for _ in range(14)]
    push_events([make_event(each) for each in keys])
    rows = list(csv.DictReader(io.StringIO(text_of(alice_client, "by=key"))))
    assert {row["group"] for row in rows} == {str(each.key.pk) for each in keys}


def test_nothing_is_an_empty_table(alice_client: Client) -> None:
    assert text_of(alice_client, "") == "start,group,label,requests,allowed,refused,units,cost_micro_usd\n"
    assert json.loads(text_of(alice_client, "", "json"))["rows"] == []


def test_what_makes_no_sense_is_said(alice_client: Client, key: CreatedKey) -> None:
    assert "There is no such period" in text_of(alice_client, "period=never", status=422)
    text_of(alice_client, "", "xlsx", status=404)


def test_strangers_get_nothing_of_others(charlie_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key)])
    assert text_of(charlie_client, "").count("\n") == 1
    text_of(charlie_client, f"key={key.key.pk}", status=404)
