from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.facts import (
    REPEATED,
    BadRequest,
    Caller,
    Peer,
    caller_ip,
    is_question,
    key_text,
    original_request,
    parameter,
    session_token,
    split_target,
)

PEER = ip_address("10.0.0.1")
PROXIES = (ip_network("10.0.0.0/8"),)
NOBODY = ip_address("192.0.2.1")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (b"api_key=abc", "abc"),
        (b"address=x&api_key=abc&more=1", "abc"),
        (b"api_key=first&api_key=second", "first"),
        (b"xapi_key=other&api_key=abc", "abc"),
        (b"address=api_key=other&api_key=abc", "abc"),
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
    assert key_text(parameter(query, b"api_key")) == text


@given(st.lists(st.tuples(st.sampled_from(["api_key", "xapi_key", "a", ""]), st.text("abc=+ é", max_size=5))))
def test_parameter_is_what_the_standard_library_reads(pairs: list[tuple[str, str]]) -> None:
    values = [value for name, value in pairs if name == "api_key"]
    assert parameter(urlencode(pairs).encode(), b"api_key").decode() == (values[0] if values else "")


def test_session_is_known_by_something_short_whatever_the_token() -> None:
    assert session_token(b"input=x&sessiontoken=") == session_token(b"input=x") == b""
    long, other = session_token(b"sessiontoken=" + b"x" * 9_999), session_token(b"sessiontoken=y")
    assert len(long) == len(other) == 32
    assert long != other


@given(st.binary(max_size=400))
def test_reading_a_request_never_fails_on_any_bytes(garbage: bytes) -> None:
    for target in (garbage, b"/" + garbage):
        _, query = split_target(target)
        key_text(parameter(query, b"api_key"))
        session_token(query)
    Peer(PEER, PROXIES, {}).caller_of(garbage)


def test_proxy_question_is_about_the_original_request() -> None:
    headers = {b"x-original-uri": b"/Geocode?api_key=abc#frag", b"x-original-method": b"options"}
    assert is_question(b"/_gate/auth?whatever=1")
    method, target = original_request("GET", b"/_gate/auth?whatever=1", headers)
    assert (method, split_target(target)) == ("OPTIONS", (b"/Geocode", b"api_key=abc"))


def test_whole_url_as_target_is_read_by_its_path() -> None:
    assert split_target(b"http://gate.example/Geocode?api_key=abc") == (b"/Geocode", b"api_key=abc")
    assert split_target(b"https://gate.example") == (b"/", b"")


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
        original_request("GET", b"/_gate/auth", headers)


def test_path_behind_ours_is_the_original_one() -> None:
    target = b"/_gate/auth/v2/geocode?api_key=abc"
    assert is_question(target)
    found = original_request("POST", target, {b"x-original-uri": b"/sprite/a.png"})
    assert found == ("POST", b"/v2/geocode?api_key=abc")
    assert not is_question(b"/_gate/authority")


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
    assert Peer(NOBODY, PROXIES, {}).caller_of(claim).ip == NOBODY
    assert Peer(NOBODY, (), {}).caller_of(claim).ip == NOBODY
    # Behind a proxy that appends the truth, whatever stands before it changes nothing.
    assert Peer(PEER, PROXIES, {}).caller_of(claim + b", 203.0.113.9").text == b"203.0.113.9"


def test_what_one_proxy_says_of_a_caller_is_remembered_for_all_and_no_more() -> None:
    behind: dict[bytes, Caller] = {}
    first, second = (Peer(ip_address(ip), PROXIES, behind) for ip in ("10.0.0.1", "10.0.0.2"))
    assert first.caller_of(b"203.0.113.9") is second.caller_of(b"203.0.113.9")
    # Here the address is the proxy's own, which another proxy would not say.
    assert first.caller_of(b"unknown").text == b"10.0.0.1"
    assert second.caller_of(b"unknown").text == b"10.0.0.2"
    assert first.caller_of(b"203.0.113.9," + b" " * 9_999 + b"203.0.113.8").text == b"203.0.113.8"
    assert list(behind) == [b"203.0.113.9"]
