from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.facts import REPEATED, BadRequest, Facts, caller_ip, key_text, read_facts

PEER = ip_address("10.0.0.1")
PROXIES = (ip_network("10.0.0.0/8"),)
NOBODY = ip_address("192.0.2.1")


def facts(target: bytes, headers: dict[bytes, bytes] | None = None, method: str = "GET") -> Facts:
    return read_facts(method=method, target=target, headers=headers or {}, peer=PEER, trusted=())


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (b"api_key=abc", "abc"),
        (b"address=x&api_key=abc&more=1", "abc"),
        (b"api_key=first&api_key=second", "first"),
        (b"API_KEY=abc", ""),
        (b"xapi_key=abc", ""),
        (b"api_key=", ""),
        (b"", ""),
        (b"api_key=a%2Bb+c", "a+b c"),
        (b"api_key=%ff%fe", "��"),
        (b"api_key=" + b"x" * 9_999, "x" * 200),
    ],
)
def test_key_is_the_first_api_key_parameter(query: bytes, text: str) -> None:
    assert key_text(query) == text


@given(st.binary(max_size=400))
def test_reading_a_request_never_fails_on_any_bytes(garbage: bytes) -> None:
    facts(b"/" + garbage, {b"x-forwarded-for": garbage, b"referer": garbage})
    facts(b"/_gate/auth", {b"x-original-uri": garbage or b"/"})


def test_proxy_question_is_about_the_original_request() -> None:
    headers = {b"x-original-uri": b"/Geocode?api_key=abc#frag", b"x-original-method": b"options"}
    found = facts(b"/_gate/auth?whatever=1", headers)
    assert (found.method, found.path, found.query, found.key_text) == ("OPTIONS", "/Geocode", b"api_key=abc", "abc")
    assert found.is_forwarded


def test_whole_url_as_target_is_read_by_its_path() -> None:
    assert facts(b"http://gate.example/Geocode?api_key=abc").path == "/Geocode"
    assert facts(b"https://gate.example").path == "/"


def test_original_headers_do_not_matter_outside_forward_auth() -> None:
    assert facts(b"/Geocode", {b"x-original-uri": b"/Trip"}).path == "/Geocode"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"x-original-method": b"GET"},
        # The caller's own words beside the proxy's, whichever proxy it is.
        {b"x-forwarded-uri": b"/Geocode", b"x-original-uri": b"/sprite/a.png?api_key=k"},
        {b"x-forwarded-uri": b"/Geocode", b"x-forwarded-method": b"GET", b"x-original-method": b"OPTIONS"},
        {b"x-original-uri": b"/Geocode", b"x-forwarded-method": b"OPTIONS"},
        {b"x-original-uri": b"/Geocode, /sprite/a.png", REPEATED: b"x-original-uri"},
    ],
)
def test_caller_cannot_say_which_request_a_proxy_asks_about(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(BadRequest):
        facts(b"/_gate/auth", headers)


def test_path_behind_ours_is_the_original_one() -> None:
    found = facts(b"/_gate/auth/v2/geocode?api_key=abc", {b"x-original-uri": b"/sprite/a.png"}, "POST")
    assert (found.method, found.path, found.key_text, found.is_forwarded) == ("POST", "/v2/geocode", "abc", True)
    assert not facts(b"/_gate/authority").is_forwarded


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"6.6.6.6, 203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("10.0.0.1", b"10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("10.0.0.1", b"203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", b"[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", b"2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", b"::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"unknown", "10.0.0.1"),
        ("10.0.0.1", b"fe80::1%eth0", "10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9, unknown", "10.0.0.1"),
        ("192.0.2.1", b"203.0.113.9", "192.0.2.1"),
        ("::ffff:10.0.0.1", b"203.0.113.9", "203.0.113.9"),
    ],
)
def test_caller_is_the_nearest_address_that_is_not_our_proxy(peer: str, forwarded: bytes, caller: str) -> None:
    assert caller_ip(ip_address(peer), forwarded, PROXIES) == ip_address(caller)


@given(st.binary(max_size=100))
def test_stranger_cannot_choose_its_address(claim: bytes) -> None:
    assert caller_ip(NOBODY, claim, PROXIES) == NOBODY
    assert caller_ip(NOBODY, claim, ()) == NOBODY
    # Behind a proxy that appends the truth, whatever stands before it changes nothing.
    assert caller_ip(PEER, claim + b", 203.0.113.9", PROXIES) == ip_address("203.0.113.9")
