from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.advice import Caution, entry_advice, list_advice
from keys.entries import entry_read
from keys.restrictions import parse_entry


@pytest.mark.parametrize(
    ("entry", "caution", "offer"),
    [
        ("*", Caution.ANY_SITE, ""),
        ("*:*", Caution.ANY_SITE, ""),
        ("https://*.*", Caution.ANY_SITE, ""),
        ("*.com", Caution.ANY_SITE, ""),
        ("*.com.vn", Caution.ANY_SITE, ""),
        ("0.0.0.0/0", Caution.ANY_SITE, ""),
        ("::/0", Caution.ANY_SITE, ""),
        ("https://example.com/shop/*", Caution.PATH, "https://example.com/*"),
        ("example.com:8080/shop", Caution.PATH, "http*://example.com:8080/*"),
        ("localhost", Caution.PORT, "http*://localhost:*/*"),
        ("http://127.0.0.1", Caution.PORT, "http://127.0.0.1:*/*"),
        ("[::1]", Caution.PORT, "http*://[::1]:*/*"),
        ("http://example.com", Caution.HTTP_ONLY, "http*://example.com/*"),
        ("http://*.example.com/*", Caution.HTTP_ONLY, "http*://*.example.com/*"),
    ],
)
def test_likely_mistake_is_named_with_what_is_more_likely_meant(entry: str, caution: Caution, offer: str) -> None:
    [advice] = entry_advice(parse_entry(entry))
    assert (advice.caution, advice.offer, advice.is_instead) == (caution, offer, bool(offer))


@pytest.mark.parametrize(
    "entry",
    [
        *("example.com", "https://example.com", "*.example.com", "*.example.com.vn", "*.shop.vn", "localhost:3000"),
        *("http://localhost:*", "capacitor://localhost", "http://10.0.0.1:8080", "10.0.0.0/8", "203.0.113.7"),
        *("http://192.168.1.1", "*.localhost:*", "https://app-*.example.com"),
    ],
)
def test_sound_entry_is_left_in_peace(entry: str) -> None:
    assert entry_advice(parse_entry(entry)) == []


def advised(*entries: str, is_from_browsers: bool = False) -> list[tuple[Caution, str]]:
    found = list_advice([parse_entry(entry) for entry in entries], is_from_browsers=is_from_browsers)
    return [(advice.caution, advice.offer) for advice in found]


@pytest.mark.parametrize(
    ("entry", "caution", "offer"),
    [
        ("example.com", Caution.NO_SUBDOMAIN, "http*://*.example.com/*"),
        ("https://example.com.vn:8443", Caution.NO_SUBDOMAIN, "https://*.example.com.vn:8443/*"),
        ("*.example.com", Caution.NO_APEX, "http*://example.com/*"),
        ("*.shop.example.com", Caution.NO_APEX, "http*://shop.example.com/*"),
        ("https://www.example.com", Caution.NO_APEX, "https://example.com/*"),
    ],
)
def test_domain_without_subdomains_is_named_and_so_is_the_reverse(entry: str, caution: Caution, offer: str) -> None:
    assert advised(entry) == [(caution, offer)]
    assert advised(entry, offer) == []


@pytest.mark.parametrize(
    "entries",
    [
        ("example.com", "www.example.com"),
        ("www.example.com", "example.com"),
        ("shop.example.com",),
        ("localhost:3000",),
        ("*.com.vn",),
        ("http://10.0.0.1",),
        ("*",),
        ("10.0.0.0/8",),
        (),
    ],
)
def test_list_that_leaves_nothing_out_is_left_in_peace(entries: tuple[str, ...]) -> None:
    assert advised(*entries) == []


def test_address_is_said_to_be_for_servers_where_pages_use_the_key() -> None:
    assert advised("10.0.0.0/8", is_from_browsers=True) == [(Caution.ADDRESS, "")]
    assert advised("10.0.0.0/8", "shop.example.com") == [(Caution.ADDRESS, "")]
    [from_pages] = list_advice([parse_entry("10.0.0.0/8")], is_from_browsers=True)
    [beside_sites] = list_advice([parse_entry("10.0.0.1"), parse_entry("a.b.com")], is_from_browsers=False)
    assert "your visitors" in from_pages.text
    assert "whatever web site" in beside_sites.text


@given(st.lists(st.text("ab.*:/1-w", min_size=1, max_size=20), max_size=4), st.booleans())
def test_every_offer_can_be_taken_and_settles_the_matter(texts: list[str], is_from_browsers: bool) -> None:
    entries = [entry.parsed for entry in map(entry_read, texts) if entry.parsed is not None]
    for advice in list_advice(entries, is_from_browsers=is_from_browsers):
        if advice.offer:
            more = list_advice([*entries, parse_entry(advice.offer)], is_from_browsers=is_from_browsers)
            assert advice not in more
    for entry in entries:
        for advice in entry_advice(entry):
            if advice.offer:
                cautions = {other.caution for other in entry_advice(parse_entry(advice.offer))}
                assert advice.caution not in cautions
