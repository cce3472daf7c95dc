"""Each row of the outcome table, produced by real requests to a running gate, asked directly and by a proxy."""

from __future__ import annotations

import time
from datetime import timedelta

import httpx
import pytest

from accounts.models import Account, Plan
from goongdash.lib.clock import utc_now
from keys.limits import KeyLimits
from keys.models import ApiKey, Service
from keys.services import key_revoke, key_set_restrictions, key_update
from stats.ingest import ingest_all
from stats.models import UsageRecord
from stats.outcomes import OUTCOMES, Outcome
from tests.factories import make_account, make_key
from tests.processes import GateProcess, running_gate

MODES = ["direct", "nginx", "traefik"]


def ask(gate: GateProcess, mode: str, uri: str, **headers: str) -> httpx.Response:
    """The request itself, or the question that a proxy asks about it."""
    path, its_headers = wording(mode, uri)
    return gate.get(path, headers={**{name.replace("_", "-"): value for name, value in headers.items()}, **its_headers})


def wording(mode: str, uri: str) -> tuple[str, dict[str, str]]:
    """The path and headers by which the gate is asked about `uri`."""
    if mode == "direct":
        return uri, {}
    return "/_gate/auth", {"X-Original-URI" if mode == "nginx" else "X-Forwarded-Uri": uri}


def account_on(**limits: int) -> Account:
    plan = Plan.objects.create(slug="tight", name="Tight", **{"rate_limit": 1_000, **limits})
    return make_account(plan=plan.slug)


def assert_refused(answer: httpx.Response, status: int, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert set(body) == {"message", "code", "request_id"}
    assert body["message"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def recorded() -> list[tuple[str, int, int]]:
    ingest_all()
    labels = {facts.number: outcome.value for outcome, facts in OUTCOMES.items()}
    rows = UsageRecord.objects.order_by("id").values_list("outcome", "units", "cost_micro_usd")
    return [(labels[number], units, cost) for number, units, cost in rows]


@pytest.mark.parametrize("mode", MODES)
def test_allowed_request_passes_and_costs_its_price(gate: GateProcess, mode: str) -> None:
    key = make_key()
    answer = ask(gate, mode, f"/Geocode?address=Hanoi&api_key={key.text}")
    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["RateLimit-Policy"] == '"rate";q=5;w=1, "day";q=1000;w=86400, "month";q=30000'
    assert answer.headers["RateLimit"].startswith('"rate";r=4;t=1, "day";r=999;t=')
    assert recorded() == [("allowed", 1, 5_000)]
    if mode == "direct":
        assert answer.json()["status"] == "OK"
    else:
        assert answer.headers["X-Account-Id"] == str(key.key.account_id)
        assert answer.headers["X-Key-Id"] == str(key.key.pk)


@pytest.mark.parametrize("mode", MODES)
def test_request_without_a_key_is_refused(gate: GateProcess, mode: str) -> None:
    assert_refused(ask(gate, mode, "/Geocode?address=Hanoi"), 403, "KEY_MISSING")
    assert_refused(ask(gate, mode, "/Geocode?address=Hanoi&api_key="), 403, "KEY_MISSING")
    assert recorded() == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "text", ["gr_nope", "x" * 40, "x" * 5_000, "%00%ff", "%27%20OR%201=1", "%D0%BA%D0%BB%D1%8E%D1%87"]
)
def test_unknown_key_is_refused_and_told_no_limits(gate: GateProcess, mode: str, text: str) -> None:
    answer = ask(gate, mode, f"/Geocode?api_key={text}")
    assert_refused(answer, 403, "KEY_INVALID")
    assert "RateLimit" not in answer.headers


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("state", ["revoked", "disabled", "expired", "account inactive"])
def test_dead_key_looks_unknown_to_the_caller_and_is_named_to_its_owner(
    gate: GateProcess, mode: str, state: str
) -> None:
    key = make_key(expires_at=utc_now() - timedelta(seconds=1) if state == "expired" else None)
    if state == "revoked":
        key_revoke(key=key.key)
    elif state == "disabled":
        ApiKey.objects.update(disabled_at=utc_now())
    elif state == "account inactive":
        Account.objects.update(is_active=False)
    answer = ask(gate, mode, f"/Geocode?address=Hanoi&api_key={key.text}")
    unknown = ask(gate, mode, f"/Geocode?address=Hanoi&api_key={'x' * 40}")
    assert_refused(answer, 403, "KEY_INVALID")
    assert {**answer.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    assert answer.headers.keys() == unknown.headers.keys()
    assert recorded() == [(f"key_{'disabled' if state == 'account inactive' else state}", 0, 0)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("key_type", "uri", "named"),
    [("tiles", "/Geocode?address=x", "REST API key"), ("rest", "/assets/goong_map_web.json?", "map tiles key")],
)
def test_wrong_key_type_is_refused_and_told_the_right_one(
    gate: GateProcess, mode: str, key_type: str, uri: str, named: str
) -> None:
    key = make_key(type=key_type)
    answer = ask(gate, mode, f"{uri}&api_key={key.text}")
    assert_refused(answer, 403, "KEY_TYPE")
    assert named in answer.json()["message"]
    assert recorded() == [("key_type", 0, 0)]


@pytest.mark.parametrize("mode", MODES)
def test_service_that_the_key_leaves_out_is_refused_by_name(gate: GateProcess, mode: str) -> None:
    key = make_key(services=[Service.objects.get(slug="geocode").pk])
    answer = ask(gate, mode, f"/Direction?origin=1,2&destination=3,4&api_key={key.text}")
    assert_refused(answer, 403, "SERVICE_NOT_ALLOWED")
    assert str(Service.objects.get(slug="directions")) in answer.json()["message"]
    assert ask(gate, mode, f"/Geocode?address=x&api_key={key.text}").status_code == 200
    assert recorded() == [("service_not_allowed", 0, 0), ("allowed", 1, 5_000)]


def test_choice_of_services_and_rate_hold_on_the_next_request(gate: GateProcess) -> None:
    key = make_key()
    uri = f"/geocode?address=x&api_key={key.text}"
    assert gate.get(uri).headers["RateLimit-Policy"].startswith('"rate";q=5;w=1')
    change(key.key, services=[Service.objects.get(slug="trip").pk], limits=KeyLimits(rate_limit=2))
    wait_for_announcement()
    refused = gate.get(uri)
    assert_refused(refused, 403, "SERVICE_NOT_ALLOWED")
    assert refused.headers["RateLimit-Policy"].startswith('"rate";q=2;w=1')


def test_key_s_own_rate_is_held_where_it_is_lower_than_the_plan_s(gate: GateProcess) -> None:
    account = account_on(rate_limit=3, rate_window_s=3_600, credit_micro_usd=10**9)
    lower, higher = (make_key(account, limits=KeyLimits(rate_limit=n)) for n in (2, 50))
    for key, n_pass in ((lower, 2), (higher, 3)):
        answers = [gate.get(f"/geocode?address=x&api_key={key.text}") for _ in range(n_pass + 1)]
        assert [answer.status_code for answer in answers] == [200] * n_pass + [429]
        assert_refused(answers[-1], 429, "RATE_LIMIT")
        assert f"at most {n_pass} in 3600 seconds" in answers[-1].json()["message"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Referer": "https://example.com@evil.org/"},
        {"Referer": "https://example.com.evil.org/"},
        {"Referer": "https://evil.org/?http://example.com/"},
        {"Referer": "https://sub.example.com/"},
        {"Origin": "null"},
        {"Referer": "https://example.com/", "Origin": "null"},
        {"Referer": "https://example.com/", "Origin": "https://evil.org"},
        {},
    ],
)
def test_origin_not_on_the_list_is_refused(gate: GateProcess, mode: str, headers: dict[str, str]) -> None:
    key = make_key(restrictions=["http*://example.com/*"])
    assert_refused(ask(gate, mode, f"/Geocode?address=x&api_key={key.text}", **headers), 403, "ORIGIN_NOT_ALLOWED")
    assert recorded() == [("origin_not_allowed", 0, 0)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Referer": "https://EXAMPLE.com/"},
        {"Referer": "http://example.com/a?b"},
        {"Origin": "https://example.com"},
        {"Origin": "https://example.com", "Referer": "https://evil.org/"},
    ],
)
def test_origin_on_the_list_passes(gate: GateProcess, mode: str, headers: dict[str, str]) -> None:
    key = make_key(restrictions=["http*://example.com/*"])
    assert ask(gate, mode, f"/Geocode?address=x&api_key={key.text}", **headers).status_code == 200


def test_address_on_the_list_passes_and_another_does_not(gate: GateProcess) -> None:
    key = make_key(restrictions=["198.51.100.0/24"])
    assert gate.get(f"/geocode?address=x&api_key={key.text}", ip="198.51.100.9").status_code == 200
    assert gate.get(f"/geocode?address=x&api_key={key.text}", ip="198.51.101.9").status_code == 403


@pytest.mark.parametrize("mode", MODES)
def test_sixth_request_of_a_second_is_refused(gate: GateProcess, mode: str) -> None:
    key = make_key()
    path, headers = wording(mode, f"/Geocode?address=x&api_key={key.text}")
    answers = gate.get_at_once(path, 8, headers=headers)
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert_refused(answers[5], 429, "RATE_LIMIT")
    assert answers[5].headers["Retry-After"] == "1"
    assert '"rate";r=0;t=1' in answers[5].headers["RateLimit"]
    assert recorded() == [("allowed", 1, 5_000)] * 5 + [("rate_limit", 0, 0)] * 3


@pytest.mark.parametrize("mode", MODES)
def test_daily_quota_of_the_key_binds(gate: GateProcess, mode: str) -> None:
    key = make_key(account_on(requests_per_day=2, credit_micro_usd=10**9))
    answers = [ask(gate, mode, f"/Geocode?address=x&api_key={key.text}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_refused(answers[2], 429, "DAILY_QUOTA")
    assert 0 < int(answers[2].headers["Retry-After"]) <= 86_400
    assert '"day";r=0;t=' in answers[2].headers["RateLimit"]


@pytest.mark.parametrize("mode", MODES)
def test_monthly_quota_of_the_plan_binds_over_all_keys(gate: GateProcess, mode: str) -> None:
    account = account_on(requests_per_month=2, map_loads_per_month=1, credit_micro_usd=10**9)
    first, second, tiles = make_key(account), make_key(account), make_key(account, type="tiles")
    assert ask(gate, mode, f"/Geocode?address=x&api_key={first.text}").status_code == 200
    assert ask(gate, mode, f"/Trip?origin=1,2&destination=3,4&api_key={second.text}").status_code == 200
    assert_refused(ask(gate, mode, f"/Geocode?address=x&api_key={first.text}"), 429, "MONTHLY_QUOTA")
    assert ask(gate, mode, f"/assets/goong_map_web.json?api_key={tiles.text}").status_code == 200
    answer = ask(gate, mode, f"/assets/goong_map_web.json?api_key={tiles.text}")
    assert_refused(answer, 429, "MONTHLY_QUOTA")
    assert "map loads" in answer.json()["message"]
    assert 0 < int(answer.headers["Retry-After"]) <= 31 * 86_400


@pytest.mark.parametrize("mode", MODES)
def test_very_request_that_would_pass_the_credit_is_refused(gate: GateProcess, mode: str) -> None:
    key = make_key(account_on(credit_micro_usd=12_000))
    answers = [ask(gate, mode, f"/Geocode?address=x&api_key={key.text}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_refused(answers[2], 429, "CREDIT_EXHAUSTED")
    # What is left of the credit still pays for something cheaper.
    assert ask(gate, mode, f"/staticmap/route?origin=21,105&destination=20,106&api_key={key.text}").status_code == 200
    assert sum(cost for _, _, cost in recorded()) == 12_000


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "uri",
    [
        *("/", "/nothing?", "/v2/trips?", "/geocode/x?", "/geocode/?", "/geocode%2f?", "/assets/a/b.json?"),
        *("//geocode?", "/.%2fgeocode?", "/sprite/..?", "/sprite/..%5cgeocode?", "/sprite/..%252fgeocode?"),
    ],
)
def test_path_of_no_service_is_not_found(gate: GateProcess, mode: str, uri: str) -> None:
    assert_refused(ask(gate, mode, uri), 404, "SERVICE_UNKNOWN")
    answer = ask(gate, mode, f"{uri}{'' if '?' in uri else '?'}&api_key={make_key().text}")
    assert_refused(answer, 404, "SERVICE_UNKNOWN")
    assert answer.headers["RateLimit"].startswith('"rate";r=5;t=1, "day";r=1000;')
    assert recorded() == [("service_unknown", 0, 0)]


@pytest.mark.parametrize("mode", MODES)
def test_store_away_is_unavailable_and_known_refusals_stay_what_they_are(live: None, mode: str) -> None:
    key = make_key(restrictions=["http*://example.com/*"])
    with running_gate(redis_prefix="test-away", REDIS_URL="redis://127.0.0.1:9/0", waits_for_health=False) as gate:
        allowed = ask(gate, mode, f"/Geocode?address=x&api_key={key.text}", Origin="https://example.com")
        refused = ask(gate, mode, f"/Geocode?address=x&api_key={key.text}", Origin="https://evil.org")
    assert_refused(allowed, 503, "UNAVAILABLE")
    assert allowed.headers["Retry-After"] == "1"
    assert_refused(refused, 403, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize(
    "path", ["/Place/AutoComplete", "/place/autocomplete", "/PLACE/AUTOCOMPLETE", "/v2/Place/Autocomplete"]
)
def test_path_case_does_not_matter(gate: GateProcess, path: str) -> None:
    key = make_key()
    assert gate.get(f"{path}?input=91&api_key={key.text}").status_code == 200


@pytest.mark.parametrize("name", ["placeid", "place_id"])
def test_both_spellings_of_place_id_are_served(gate: GateProcess, name: str) -> None:
    key = make_key()
    assert gate.get(f"/Place/Detail?{name}=abc&api_key={key.text}").json()["status"] == "OK"


def test_change_of_restrictions_holds_on_the_next_request(gate: GateProcess) -> None:
    key = make_key()
    assert gate.get(f"/geocode?address=x&api_key={key.text}").status_code == 200
    key_set_restrictions(key=key.key, restrictions=["http*://example.com/*"])
    wait_for_announcement()
    assert gate.get(f"/geocode?address=x&api_key={key.text}").status_code == 403


def test_key_made_after_its_text_was_refused_works(gate: GateProcess) -> None:
    text = "k" * 40
    assert gate.get(f"/geocode?address=x&api_key={text}").status_code == 403
    make_key(text=text)
    wait_for_announcement()
    assert gate.get(f"/geocode?address=x&api_key={text}").status_code == 200


def test_proxy_that_names_no_uri_gets_a_clear_400(gate: GateProcess) -> None:
    answer = gate.get("/_gate/auth")
    assert answer.status_code == 400
    assert "X-Original-URI" in answer.json()["message"]


def test_every_outcome_is_produced_above() -> None:
    """A new outcome must come with a test of its own, here or in test_caps.py."""
    assert {outcome.value for outcome in Outcome} == {
        "allowed", "key_missing", "key_unknown", "key_revoked", "key_disabled", "key_expired", "key_type",
        "origin_not_allowed", "rate_limit", "daily_quota", "monthly_quota", "credit_exhausted",
        "service_unknown", "unavailable", "service_not_allowed", "key_budget", "account_budget",
    }  # fmt: skip


def change(key: ApiKey, *, services: list[int], limits: KeyLimits) -> None:
    """What the key page's dialog does, where nothing else is touched."""
    key_update(
        key=key,
        version=key.version,
        name=key.name,
        description="",
        restrictions=[],
        restrictions_mode=key.restrictions_mode,
        allows_no_origin=False,
        services=services,
        limits=limits,
        expires_at=None,
    )


def wait_for_announcement() -> None:
    """The announcement is under way when the service returns; a gate takes it within milliseconds."""
    time.sleep(0.1)
