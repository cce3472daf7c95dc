"""Every configuration of deploy/ in its real proxy: allowed passes, refusals arrive as themselves."""

from __future__ import annotations

from accounts.models import Plan
from keys.services import CreatedKey
from tests.deploy.api import Api
from tests.deploy.asking import Answer, Header, ask
from tests.factories import make_account, make_key

ORIGIN = ("Origin", "https://example.com")
QUERY = "input=H%C3%A0%20N%E1%BB%99i+%2B1%26b%3Dc&x=%2Fa%2F..&&api_key="


def geocode(key: CreatedKey) -> str:
    return f"/Geocode?address=Hanoi&api_key={key.text}"


def assert_refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"message", "code", "request_id"}
    assert answer.values("X-Request-Id") == [answer.json()["request_id"]]
    assert answer.values("Content-Type") == ["application/json"]
    assert answer.values("Cache-Control") == ["no-store"]
    assert answer.values("Access-Control-Allow-Origin") == ["*"]
    assert "Retry-After" in answer.values("Access-Control-Expose-Headers")[0]
    assert answer.values("X-Gate-Body") == []


def test_allowed_request_reaches_the_api_as_it_was_sent(proxy: str, api: Api) -> None:
    key = make_key()
    assert ask(proxy, f"/Place/AutoComplete?{QUERY}{key.text}", ("X-Of-The-Caller", "kept")).status == 200
    (asked,) = api.asked
    assert (asked.method, asked.target) == ("GET", f"/Place/AutoComplete?{QUERY}{key.text}")
    assert asked.values("X-Account-Id") == [str(key.key.account_id)]
    assert asked.values("X-Key-Id") == [str(key.key.pk)]
    assert asked.values("X-Of-The-Caller") == ["kept"]


def test_answer_of_the_api_is_told_with_the_gates_headers(proxy_name: str, proxy: str, api: Api) -> None:
    answer = ask(proxy, geocode(make_key()), ORIGIN)
    assert answer.json()["target"] == api.asked[0].target
    assert answer.values("Access-Control-Allow-Origin") == ["*"]
    assert "RateLimit" in answer.values("Access-Control-Expose-Headers")[0]
    if proxy_name == "traefik":
        # It can't tell the caller; the API is told, and may.
        assert api.asked[0].values("RateLimit")[0].startswith('"rate";r=4;t=1, ')
        return
    assert answer.values("X-Request-Id") == api.asked[0].values("X-Request-Id")
    (limit,) = answer.values("RateLimit")
    assert limit.startswith('"rate";r=4;t=1, "day";r=999;')
    assert answer.values("RateLimit-Policy") == ['"rate";q=5;w=1, "day";q=1000;w=86400, "month";q=30000']


def test_refused_requests_get_the_gates_own_answer(proxy: str, api: Api) -> None:
    key, tiles = make_key(restrictions=["http*://example.com/*"]), make_key(type="tiles")
    assert_refused(ask(proxy, "/Geocode?address=Hanoi"), 403, "KEY_MISSING")
    assert_refused(ask(proxy, f"/Geocode?address=Hanoi&api_key={'x' * 40}"), 403, "KEY_INVALID")
    assert_refused(ask(proxy, geocode(tiles)), 403, "KEY_TYPE")
    for headers in [(), (("Referer", "https://evil.org/"),), (("Origin", "https://evil.org"),)]:
        assert_refused(ask(proxy, geocode(key), *headers), 403, "ORIGIN_NOT_ALLOWED")
    assert_refused(ask(proxy, f"/nothing?api_key={key.text}"), 404, "SERVICE_UNKNOWN")
    assert api.asked == []


def test_caller_is_told_what_a_list_for_report_only_would_refuse(proxy_name: str, proxy: str, api: Api) -> None:
    key = make_key(restrictions=["http*://example.com/*"], restrictions_mode="report_only")
    forged = ("Goongdash-Would-Refuse", "forged")
    own, foreign = ask(proxy, geocode(key), ORIGIN, forged), ask(proxy, geocode(key), ("Origin", "https://evil.org"))
    assert (own.status, foreign.status) == (200, 200)
    assert own.values("Goongdash-Would-Refuse") == []
    said = api.asked[1] if proxy_name == "traefik" else foreign
    assert said.values("Goongdash-Would-Refuse") == ["ORIGIN_NOT_ALLOWED"]
    assert "Goongdash-Would-Refuse" in foreign.values("Access-Control-Expose-Headers")[0]


def test_request_over_a_limit_is_told_when_to_come_again(proxy: str, api: Api) -> None:
    Plan.objects.create(slug="two", name="Two", rate_limit=2, rate_window_s=3_600, credit_micro_usd=10**9)
    key = make_key(make_account(plan="two"), restrictions=["http*://example.com/*"])
    # The gate knows the caller's site by either header, as it knows it without a proxy.
    assert ask(proxy, geocode(key), ORIGIN).status == 200
    assert ask(proxy, geocode(key), ("Referer", "https://example.com/")).status == 200
    answer = ask(proxy, geocode(key), ORIGIN)
    assert_refused(answer, 429, "RATE_LIMIT")
    assert 3_500 < int(answer.values("Retry-After")[0]) <= 3_600
    assert answer.values("RateLimit")[0].startswith('"rate";r=0;t=')
    assert answer.values("RateLimit-Policy") == ['"rate";q=2;w=3600']
    assert len(api.asked) == 2


def test_preflight_is_answered_by_the_gate(proxy: str, api: Api) -> None:
    headers: list[Header] = [ORIGIN, ("Access-Control-Request-Method", "GET")]
    answer = ask(proxy, geocode(make_key()), *headers, method="OPTIONS")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.values("Access-Control-Allow-Origin") == ["*"]
    assert answer.values("Access-Control-Allow-Methods") == ["GET, HEAD, OPTIONS"]
    assert answer.values("Access-Control-Allow-Headers") == ["*"]
    assert api.asked == []


def test_paths_of_the_gates_own_are_out_of_reach(proxy: str, api: Api) -> None:
    for path in (
        "/metrics",
        "/_gate/healthz",
        "/_gate/auth",
        "/_gate/../metrics",
        "//metrics?a",
        "http://gate/metrics",
    ):
        assert ask(proxy, path).status in (400, 403, 404), path
        answer = ask(proxy, path, ORIGIN, method="OPTIONS")
        assert (answer.status, answer.body) == (204, b"") or answer.status in (400, 404), path
    assert api.asked == []


def test_other_methods_are_refused(proxy: str, api: Api) -> None:
    key = make_key()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = ask(proxy, geocode(key), method=method, body=b"a body that the gate never reads")
        assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.values("Allow") == ["GET, HEAD, OPTIONS"]
    assert api.asked == []


def test_head_is_one_request_to_the_api(proxy: str, api: Api) -> None:
    answer = ask(proxy, geocode(make_key()), method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert [asked.method for asked in api.asked] == ["HEAD"]


def test_long_request_with_large_headers_is_served(proxy: str, api: Api) -> None:
    uri = f"/DistanceMatrix?origins=21,105&destinations={'21,105|' * 850}21,105&api_key={make_key().text}"
    assert ask(proxy, uri, ("Cookie", "c" * 6_000)).status == 200
    assert [asked.target for asked in api.asked] == [uri]


def test_body_is_not_taken_for_a_request(proxy: str, api: Api) -> None:
    key = make_key()
    hidden = b"GET /Geocode?hidden=1 HTTP/1.1\r\nHost: api\r\nX-Account-Id: 4711\r\n\r\n"
    uris = [f"{geocode(key)}&n={n}" for n in range(3)]
    assert [ask(proxy, uri, body=hidden).status for uri in uris] == [200] * 3
    assert [asked.target for asked in api.asked] == uris
