"""The usage API: who may ask, how often, what they are told."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from redis.exceptions import ConnectionError

from accounts.models import Account, Membership, Role, TokenScope
from billing.models import Statement
from goongdash.rates import Rate, rate
from keys.services import key_revoke
from stats.outcomes import Outcome
from tests.api import PATHS, ask, token_of, told
from tests.factories import T0, make_event, make_key, make_member
from tests.road import store

NOW = T0 + timedelta(hours=2)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("stats.usage_api", "stats.requests_api"):
        monkeypatch.setattr(f"{module}.utc_now", lambda: NOW)


@pytest.fixture
def owner(alice: Account) -> Membership:
    return alice.memberships.get(role=Role.OWNER)


def test_usage_has_groups_and_a_value_for_every_bucket(alice: Account, owner: Membership) -> None:
    shop, app = make_key(alice, name="Shop"), make_key(alice, name="App")
    store(
        *(make_event(shop) for _ in range(2)),
        make_event(shop, "trip", outcome=Outcome.RATE_LIMIT),
        make_event(app, at=T0 - timedelta(days=2)),
        make_event(app, at=T0 - timedelta(days=9)),
    )
    body = told(ask("usage", token_of(owner), period="7d", by="key"))
    assert body["buckets"] == [f"2026-11-{day}" for day in range(17, 24)]
    assert (body["time_zone"], body["grain"], body["start"]) == ("Asia/Ho_Chi_Minh", "day", "2026-11-17T00:00:00+07:00")
    assert body["totals"] == {"requests": 4, "allowed": 3, "refused": 1, "units": 3, "cost_micro_usd": 15_000}
    assert body["totals_before"]["requests"] == 1
    assert body["counted_at"] is not None
    assert [(group["group"], group["label"]) for group in body["groups"]] == [
        (str(shop.key.pk), "Shop"),
        (str(app.key.pk), "App"),
    ]
    first, second = (group["series"] for group in body["groups"])
    assert first["requests"] == [0, 0, 0, 0, 0, 0, 3]
    assert first["refused"] == [0, 0, 0, 0, 0, 0, 1]
    assert second["cost_micro_usd"] == [0, 0, 0, 0, 5_000, 0, 0]


def test_usage_takes_the_address_of_the_page(alice: Account, owner: Membership) -> None:
    store(make_event(make_key(alice)), make_event(make_key(alice, type="tiles"), "map-load"))
    token = token_of(owner)
    for query in ("period=today&by=outcome&measure=refusals&chart=lines", "from=2026-11-01&to=2026-11-23&type=rest"):
        page = Client()
        page.force_login(owner.user)
        assert page.get(f"/statistics?{query}").status_code == 200
        answer = Client().get(f"/api/v1/usage?{query}", headers={"Authorization": f"Bearer {token}"})
        assert told(answer)["totals"]["requests"] in {1, 2}


def test_all_beyond_the_ten_largest_are_one_last_group(alice: Account, owner: Membership) -> None:
    keys = [make_key(alice) for _ in range(12)]
    store(*(make_event(key) for key in keys))
    groups = told(ask("usage", token_of(owner), by="key"))["groups"]
    assert len(groups) == 11
    assert (groups[-1]["group"], groups[-1]["totals"]["requests"]) == (None, 2)


def test_usage_pins_its_queries(
    alice: Account, owner: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store(make_event(make_key(alice)))
    token = token_of(owner)
    ask("usage", token, by="key")  # Notes the token's use, once a minute.
    with django_assert_num_queries(6):
        told(ask("usage", token, by="key"))


def test_keys_come_without_their_texts_page_by_page(alice: Account, charlie: Account, owner: Membership) -> None:
    created = [make_key(alice, name=f"Key {n}") for n in range(3)]
    make_key(charlie)
    key_revoke(key=created[0].key)
    token = token_of(owner)
    first = ask("keys", token, limit=2)
    assert not any(key.text in first.content.decode() for key in created)
    body = told(first)
    assert [(key["name"], key["state"]) for key in body["keys"]] == [("Key 2", "active"), ("Key 1", "active")]
    rest = told(ask("keys", token, limit=2, after=body["next"]))
    assert [(key["name"], key["state"], key["deleted_at"] is None) for key in rest["keys"]] == [
        ("Key 0", "revoked", False)
    ]
    assert rest["next"] is None


def test_requests_come_page_by_page_and_hold_to_the_filters(
    alice: Account, charlie: Account, owner: Membership
) -> None:
    key = make_key(alice)
    events = [make_event(key, at=T0 + timedelta(minutes=n)) for n in range(5)]
    store(*events, make_event(key, outcome=Outcome.RATE_LIMIT), make_event(make_key(charlie)))
    token, seen, cursor = token_of(owner), list[str](), dict[str, Any]()
    while True:
        body = told(ask("requests", token, limit=2, outcome="allowed", **cursor))
        seen += [request["request_id"] for request in body["requests"]]
        if body["next"] is None:
            break
        cursor = {"before": body["next"]}
    assert seen == [event.request_id for event in reversed(events)]
    (refused,) = told(ask("requests", token, outcome="refused"))["requests"]
    assert (refused["code"], refused["status"], refused["ip"]) == ("RATE_LIMIT", 429, "203.0.113.x")


def test_statements_are_those_of_the_account(alice: Account, charlie: Account, owner: Membership) -> None:
    for account, month in ((alice, 9), (alice, 10), (charlie, 10)):
        Statement.objects.create(
            account=account,
            period_on=f"2026-{month:02}-01",
            number=f"{account.pk}-{month}",
            gross_micro_usd=5_000,
            credit_micro_usd=2_000,
            net_micro_usd=3_000,
            closed_at=T0,
        )
    token = token_of(owner)
    body = told(ask("statements", token, limit=1))
    assert [(each["period_on"], each["net_micro_usd"]) for each in body["statements"]] == [("2026-10-01", 3_000)]
    older = told(ask("statements", token, limit=1, before=body["next"]))
    assert ([each["period_on"] for each in older["statements"]], older["next"]) == (["2026-09-01"], None)


# ---- Who may ask ----


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", ["", "gt_wrong", "wrong", "gt_" + "x" * 5_000])
def test_unknown_token_gets_401(alice_client: Client, path: str, token: str) -> None:
    answer = ask(path, token, client=alice_client)  # A session opens nothing here.
    assert told(answer, 401)["code"] == "TOKEN_INVALID"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("path", "scope"),
    [("usage", "usage"), ("keys", "usage"), ("requests", "requests"), ("statements", "bills")],
)
def test_token_reads_only_what_it_was_made_for(owner: Membership, path: str, scope: str) -> None:
    told(ask(path, token_of(owner, TokenScope(scope))))
    others = [other for other in TokenScope if other != scope]
    assert told(ask(path, token_of(owner, *others)), 403)["code"] == "SCOPE_MISSING"


@pytest.mark.parametrize(
    ("role", "opens"),
    [
        ("admin", {"usage", "keys", "requests"}),
        ("developer", {"usage", "keys", "requests"}),
        ("billing", {"usage", "keys", "statements"}),
        ("viewer", {"usage", "keys", "requests"}),
    ],
)
def test_role_of_the_owner_holds_at_each_request(alice: Account, role: str, opens: set[str]) -> None:
    member = make_member(alice, "owner")
    token = token_of(member)
    assert {path for path in PATHS if ask(path, token).status_code == 200} == set(PATHS)
    Membership.objects.filter(pk=member.pk).update(role=role)
    assert {path for path in PATHS if ask(path, token).status_code == 200} == opens
    forbidden = told(ask(next(iter(set(PATHS) - opens)), token), 403)
    assert forbidden["code"] == "ROLE_FORBIDS"
    member.delete()
    assert {ask(path, token).status_code for path in PATHS} == {401}


def test_another_account_s_key_is_none(charlie: Account, owner: Membership) -> None:
    stranger = make_key(charlie)
    for path in ("usage", "requests"):
        assert told(ask(path, token_of(owner), key=stranger.key.pk), 404)["code"] == "NOT_FOUND"


# ---- What they are told ----


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("usage", {"period": "2y"}, "period"),
        ("usage", {"perod": "7d"}, "perod"),
        ("usage", {"by": "colour"}, "by"),
        ("usage", {"from": "yesterday", "to": "2026-11-23"}, "from"),
        ("usage", {"from": "2026-11-23"}, "to"),
        ("usage", {"from": "2026-11-24", "to": "2026-11-23"}, "from"),
        ("usage", {"service": "tea"}, "service"),
        ("usage", {"outcome": ["allowed", "perhaps"]}, "outcome"),
        ("usage", {"type": "paper"}, "type"),
        ("usage", {"key": "x"}, "key"),
        ("usage", {"country": [f"{a}{b}" for a in "ABCDE" for b in "ABCDE"]}, "country"),
        ("keys", {"limit": 201}, "limit"),
        ("keys", {"after": "x"}, "after"),
        ("keys", {"after": 2**63}, "after"),
        ("requests", {"limit": 0}, "limit"),
        ("requests", {"before": "yesterday"}, "before"),
        ("requests", {"outcome": "perhaps"}, "outcome"),
        ("requests", {"service": "tea"}, "service"),
        ("requests", {"from": "2026-11-23T10:00", "to": "2026-11-23T09:00"}, "to"),
        ("statements", {"before": "2026-13-01"}, "before"),
    ],
)
def test_parameter_at_fault_is_named(owner: Membership, path: str, query: dict[str, Any], field: str) -> None:
    body = told(ask(path, token_of(owner), **query), 422)
    assert body["code"] == "PARAMETERS_UNUSABLE"
    assert [fault["field"] for fault in body["errors"]] == [field]
    assert body["message"] and body["errors"][0]["message"] in body["message"]


def test_too_many_requests_of_one_token_wait_for_the_next_window(owner: Membership, settings: Settings) -> None:
    settings.USAGE_API_RATE = Rate(3, 3_600)
    token, other = token_of(owner), token_of(owner)
    assert [ask("keys", token).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = ask("usage", token)
    assert told(answer, 429)["code"] == "RATE_LIMIT"
    assert 0 < int(answer["Retry-After"]) <= 3_600
    assert ask("keys", other).status_code == 200


def test_store_away_says_when_to_come_again(owner: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def add(self, *args: object, **options: object) -> None:
            raise ConnectionError("away")

    monkeypatch.setattr("accounts.api.cache", Away())
    answer = ask("keys", token_of(owner))
    assert told(answer, 503)["code"] == "UNAVAILABLE"
    assert answer["Retry-After"] == "5"


@pytest.mark.parametrize("method", ["head", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", [*PATHS, "openapi.json"])
def test_there_is_nothing_but_reading(owner: Membership, path: str, method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    answer: Any = getattr(client, method)(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token_of(owner)}"})
    assert (answer.status_code, answer["Allow"]) == (405, "GET")


def test_no_session_is_read_or_made_and_nothing_is_kept(owner: Membership, alice_client: Client) -> None:
    n_sessions = Session.objects.count()
    for path in [*PATHS, "openapi.json"]:
        answer = ask(path, token_of(owner), client=alice_client)
        assert answer.cookies == {}
        assert "Cookie" not in answer.get("Vary", "")
        assert "no-store" in answer["Cache-Control"]
    assert Session.objects.count() == n_sessions


def test_answers_are_in_one_language_whatever_is_accepted(owner: Membership, alice_client: Client) -> None:
    for client in (Client(), alice_client):
        answer = client.get("/api/v1/usage", headers={"Accept-Language": "vi"})
        assert told(answer, 401)["message"].startswith("Send a personal token")
        assert answer["Content-Language"] == "en"


def test_token_is_in_no_log(owner: Membership, caplog: pytest.LogCaptureFixture) -> None:
    token = token_of(owner)
    with caplog.at_level(logging.DEBUG):
        queries: list[tuple[str, dict[str, Any]]] = [
            ("usage", {}),
            ("usage", {"by": "colour"}),
            ("statements", {"before": "x"}),
        ]
        for path, query in queries:
            ask(path, token, **query)
        ask("usage", token + "x")
    assert token not in caplog.text


@pytest.mark.parametrize("text", ["60", "0/m", "1/d", "x/m", "-1/s", "1.5/m", ""])
def test_rate_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        rate(text)


def test_rate_reads_and_writes_alike() -> None:
    assert [str(rate(text)) for text in ("60/m", "5/s", "1000/h")] == ["60/m", "5/s", "1000/h"]
