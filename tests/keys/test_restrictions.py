"""Restriction lists: how an entry is told apart, and which requests a list lets through."""

from __future__ import annotations

import pickle
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import IpRangeError, PatternError, RestrictionError
from keys.origins import request_origin
from keys.patterns import UrlPattern
from keys.restrictions import Restrictions, parse_entry

IP = ip_address("203.0.113.7")


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        (" 10.0.0.0/8\n", "10.0.0.0/8"),
        ("::1", "::1/128"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
    ],
)
def test_address_or_cidr_is_an_ip_range(text: str, network: str) -> None:
    assert parse_entry(text) == ip_network(network)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("example.com", "http*://example.com/*"),
        (" http*://example.com/*\t", "http*://example.com/*"),
        ("*", "http*://*/*"),
        ("10.0.0.1:8080", "http*://10.0.0.1:8080/*"),
        ("http://10.0.0.1/", "http://10.0.0.1/"),
        ("10.0.0.1/*", "http*://10.0.0.1/*"),
        ("10.0.0.1/app", "http*://10.0.0.1/app"),
        ("http://10.0.0.*", "http://10.0.0.*/*"),
        ("1.2.3.4.example.com", "http*://1.2.3.4.example.com/*"),
        ("[::1]", "http*://[::1]/*"),
        ("[::1]:3000", "http*://[::1]:3000/*"),
        ("http://[::1]/", "http://[::1]/"),
        ("cafe", "http*://cafe/*"),
        ("cafe:3000", "http*://cafe:3000/*"),
    ],
)
def test_anything_else_is_a_url_pattern(text: str, normal: str) -> None:
    entry = parse_entry(text)

    assert isinstance(entry, UrlPattern)
    assert entry.text == normal


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.5/24",
        "10.0.0.256",
        "10.0.0",
        "10.0.0.*",
        "10.0.0.1-20",
        "10.0.0.0/33",
        "1:2:3",
        "fe80::1%eth0",
        "::/999",
    ],
)
def test_mistyped_address_is_never_taken_for_a_web_site(text: str) -> None:
    with pytest.raises(IpRangeError):
        parse_entry(text)


@pytest.mark.parametrize("text", ["", "  ", "exam ple.com", "localhost:3000:", "https://a@b"])
def test_bad_pattern_is_named_as_a_pattern(text: str) -> None:
    with pytest.raises(PatternError):
        parse_entry(text)


def test_errors_survive_the_way_between_processes() -> None:
    error = PatternError("A reason.", "host", "a..b")

    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.reason, copy.part, copy.fragment) == ("A reason.", "A reason.", "host", "a..b")


def test_empty_list_works_from_anywhere() -> None:
    restrictions = Restrictions.of([])

    assert restrictions.allow(None, IP)
    assert restrictions.allow(request_origin("https://evil.org/", None), IP)
    assert restrictions == Restrictions()


@pytest.mark.parametrize(
    ("referer", "origin"),
    [
        ("https://EXAMPLE.com/", None),
        ("http://example.com/a?b", None),
        (None, "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("about:blank", "https://example.com"),
        ("https://evil.org/", "https://example.com"),
    ],
)
def test_request_from_a_listed_site_passes(referer: str | None, origin: str | None) -> None:
    assert Restrictions.of(["http*://example.com/*"]).allow(request_origin(referer, origin), IP)


@pytest.mark.parametrize(
    ("referer", "origin"),
    [
        (None, None),
        ("", ""),
        (None, "null"),
        ("https://example.com/", "null"),
        ("https://example.com/", "https://evil.org"),
        ("https://example.com@evil.org/", None),
        ("https://example.com.evil.org/", None),
        ("https://evil.org/?http://example.com/", None),
        ("https://evil.org/http://example.com/", None),
        ("https://evil.org\\example.com/", None),
        ("https://example.com\\.evil.org/", None),
        ("http://example.com:8080/", None),
        ("https://www.example.com/", None),
        ("garbage", "garbage"),
    ],
)
def test_request_from_elsewhere_or_nowhere_is_refused(referer: str | None, origin: str | None) -> None:
    assert not Restrictions.of(["http*://example.com/*"]).allow(request_origin(referer, origin), IP)


def test_any_one_entry_is_enough() -> None:
    restrictions = Restrictions.of(["example.com", "203.0.113.0/24", "*.example.org"])
    elsewhere = ip_address("198.51.100.1")

    assert restrictions.allow(None, IP)
    assert restrictions.allow(request_origin("https://evil.org/", None), IP)
    assert restrictions.allow(request_origin("https://a.example.org/", None), elsewhere)
    assert not restrictions.allow(request_origin("https://evil.org/", None), elsewhere)
    assert not restrictions.allow(None, elsewhere)


def test_no_origin_passes_patterns_only_where_the_key_opts_in() -> None:
    assert Restrictions.of(["example.com"], allows_no_origin=True).allow(None, IP)
    assert not Restrictions.of(["example.com"]).allow(None, IP)


def test_opting_in_does_not_open_a_list_of_ip_ranges() -> None:
    assert not Restrictions.of(["10.0.0.0/8"], allows_no_origin=True).allow(None, IP)


def test_opting_in_does_not_let_another_origin_pass() -> None:
    evil = request_origin("https://evil.org/", None)

    assert not Restrictions.of(["example.com"], allows_no_origin=True).allow(evil, IP)


def test_list_keeps_its_order_and_each_entry_once() -> None:
    restrictions = Restrictions.of(["b.com", "10.0.0.1", "a.com", "B.com/*", "10.0.0.1/32"])

    assert [pattern.text for pattern in restrictions.patterns] == ["http*://b.com/*", "http*://a.com/*"]
    assert restrictions.ip_ranges == (ip_network("10.0.0.1/32"),)


def test_one_bad_entry_refuses_the_list() -> None:
    with pytest.raises(RestrictionError):
        Restrictions.of(["example.com", "10.0.0.5/24"])


@given(st.one_of(st.text(max_size=60), st.text("0123456789abcdef.:/%*-[]", max_size=40)))
def test_any_text_is_an_entry_or_raises_restriction_error_only(text: str) -> None:
    try:
        entry = parse_entry(text)
    except RestrictionError as error:
        assert error.reason and error.part
        return
    assert parse_entry(entry.text if isinstance(entry, UrlPattern) else str(entry)) == entry
