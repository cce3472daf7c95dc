"""What a caller says of itself, its address and its request is not believed, behind any proxy and without one."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

import pytest

from stats.ingest import ingest_all
from stats.models import UsageRecord
from tests.deploy.api import Api
from tests.deploy.asking import Header, ask
from tests.factories import make_key
from tests.processes import GateProcess

# All of 127.0.0.0/8 is this machine; a test's gate believes X-Forwarded-For from 127.0.0.1 only.
CALLER, OTHER = "127.0.0.2", "127.0.0.3"
ADDRESS_CLAIMS: list[list[Header]] = [
    [("X-Forwarded-For", OTHER)],
    [("X-Forwarded-For", OTHER), ("X-Forwarded-For", OTHER)],
    [("X-Forwarded-For", f"{OTHER}, 127.0.0.1")],
    [("X-Forwarded-For", f"127.0.0.1, {OTHER}, ")],
    [("X_Forwarded_For", OTHER), ("X-Forwarded_For", OTHER)],
    [("X-Real-IP", OTHER), ("Forwarded", f"for={OTHER}"), ("X-Client-IP", OTHER), ("True-Client-IP", OTHER)],
    [("Connection", "X-Forwarded-For, X-Real-IP"), ("X-Forwarded-For", OTHER)],
]
REQUEST_CLAIMS: list[list[Header]] = [
    [("X-Original-URI", "{free}")],
    [("X-Forwarded-Uri", "{free}")],
    [("X-Original-URI", "{free}"), ("X-Original-URI", "{free}")],
    [("X-Original-URI", "{free}"), ("X-Forwarded-Uri", "{free}")],
    [("X_Original_URI", "{free}"), ("X_Forwarded_Uri", "{free}"), ("X.Original.URI", "{free}")],
    [("X-Original-URL", "{free}"), ("X-Rewrite-URL", "{free}"), ("X-Original-Method", "OPTIONS")],
    [("X-Forwarded-Method", "OPTIONS"), ("X-HTTP-Method-Override", "OPTIONS")],
    [("Connection", "X-Original-URI, X-Forwarded-Uri, X-Original-Method, X-Forwarded-Method")],
]
ODD_TARGETS = [
    *("/sprite/../geocode", "/sprite/..%2fgeocode", "/sprite/%2e%2e/geocode", "/sprite/.%2e/geocode"),
    *("/sprite/..%5cgeocode", "/sprite/..\\geocode", "/sprite/..;/geocode", "/sprite/..%00/geocode"),
    *("//geocode", "/./geocode", "/geocode/", "/geocode;a", "/geocode%20", "/%67eocode", "/geocode%3f"),
    *("/geocode#/sprite/a.png", "/sprite/a.png#/../../geocode", "/sprite/a.png%23/../../geocode"),
    *("/sprite/a.png%3f/../../geocode", "/sprite/x/..//../geocode", "http://evil.org/geocode"),
    *("http://evil.org/sprite/../geocode", "/_gate/auth", "/_gate/auth/geocode", "/_gate/../geocode"),
    *("/sprite/../geocode/../sprite/a.png", "/sprite/a.png", "http://evil.org/sprite/a.png"),
]


def recorded_addresses() -> set[str]:
    ingest_all()
    return set(UsageRecord.objects.values_list("ip", flat=True))


def test_caller_is_known_by_the_address_that_the_proxy_sees(proxy: str, api: Api) -> None:
    key = make_key(restrictions=[CALLER])
    uri = f"/Geocode?address=Hanoi&api_key={key.text}"
    assert ask(proxy, uri, source=CALLER).status == 200
    assert ask(proxy, uri, source=OTHER).status == 403
    assert len(api.asked) == 1
    assert recorded_addresses() == {CALLER, OTHER}


def test_caller_cannot_choose_its_address(proxy: str, api: Api) -> None:
    key = make_key(restrictions=[OTHER])
    for claim in ADDRESS_CLAIMS:
        answer = ask(proxy, f"/Geocode?address=Hanoi&api_key={key.text}", *claim, source=CALLER)
        # Envoy refuses a Connection header that names X-Forwarded-For.
        assert answer.status in (400, 403), claim
    assert api.asked == []
    assert recorded_addresses() == {CALLER}


def test_caller_cannot_name_itself(proxy: str, api: Api) -> None:
    key = make_key(type="tiles")
    names = [f"X{a}{middle}{b}Id" for a in "-_." for b in "-_." for middle in ("Account", "Key")]
    claims: list[Header] = [(name, "4711") for name in [*names, *names, "x-account-id", "X-KEY-ID"]]
    claims += [("Connection", "X-Account-Id, X-Key-Id")]
    assert ask(proxy, f"/sources/base.json?api_key={key.text}", *claims).status == 200
    (asked,) = api.asked
    assert asked.values("X-Account-Id") == [str(key.key.account_id)]
    assert asked.values("X-Key-Id") == [str(key.key.pk)]


def test_caller_cannot_say_which_request_it_makes(proxy: str, api: Api) -> None:
    tiles = make_key(type="tiles")
    free = f"/sources/base.json?api_key={tiles.text}"
    for claim in REQUEST_CLAIMS:
        headers = [(name, value.format(free=free)) for name, value in claim]
        for uri in ("/Geocode?address=Hanoi", f"/Geocode?address=Hanoi&api_key={tiles.text}"):
            answer = ask(proxy, uri, *headers)
            assert answer.status == 403, claim
            assert answer.json()["code"] in ("KEY_MISSING", "KEY_TYPE")
        assert ask(proxy, free, *headers, method="POST").status == 405, claim
    assert api.asked == []


def test_path_cannot_mean_one_thing_to_the_gate_and_another_to_the_api(proxy: str, api: Api) -> None:
    """With a key that opens map parts only, whatever reaches the API is a map part as a server reads it."""
    query = f"?address=Hanoi&api_key={make_key(type='tiles').text}"
    for target in ODD_TARGETS:
        path, mark, fragment = target.partition("#")
        api.asked.clear()
        answers = [ask(proxy, uri) for uri in (f"{path}{query}{mark}{fragment}", f"{target}{query}")]
        for asked in api.asked:
            plain = unquote(asked.target.partition("?")[0].partition("#")[0]).replace("\\", "/")
            assert posixpath.normpath(plain).startswith("/sprite/"), asked.target
        n_refused = sum(answer.status in (400, 403, 404) for answer in answers)
        assert n_refused + len(api.asked) == len(answers), target


def test_stranger_at_the_gate_itself_cannot_choose_its_address(gate: GateProcess) -> None:
    key = make_key(restrictions=[OTHER, "198.51.100.7"])
    for claim in [*ADDRESS_CLAIMS, [("X-Forwarded-For", "198.51.100.7")]]:
        for uri, asked in [
            (f"/Geocode?address=Hanoi&api_key={key.text}", []),
            ("/_gate/auth", [("X-Original-URI", f"/Geocode?address=Hanoi&api_key={key.text}")]),
            (f"/_gate/auth/Geocode?address=Hanoi&api_key={key.text}", []),
        ]:
            assert ask(gate.base_url, uri, *claim, *asked, source=CALLER).status == 403
    assert recorded_addresses() == {CALLER}


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        (["198.51.100.7"], 200),
        (["203.0.113.9, 198.51.100.7"], 200),
        (["203.0.113.9", "198.51.100.7"], 200),
        (["198.51.100.7, 127.0.0.1"], 200),
        (["198.51.100.7, 203.0.113.9"], 403),
        (["198.51.100.7", "203.0.113.9"], 403),
        (["198.51.100.7, unknown"], 403),
    ],
)
def test_address_from_a_trusted_proxy_is_read_from_the_right(gate: GateProcess, claims: list[str], status: int) -> None:
    key = make_key(restrictions=["198.51.100.7"])
    headers = [("X-Forwarded-For", claim) for claim in claims]
    assert ask(gate.base_url, f"/Geocode?address=Hanoi&api_key={key.text}", *headers).status == status
