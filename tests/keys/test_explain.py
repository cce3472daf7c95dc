"""The tester's answers: that they are the gate's, for the table of cases and for any list, and what they say."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.entries import entries_read
from keys.explain import EntryCheck, Explanation, explain, sent_by_browser
from keys.origins import Origin, parse_url
from keys.restrictions import RestrictionEntry, Restrictions, parse_entry
from tests.keys.pattern_cases import CASES

IP = ip_address("203.0.113.7")


def asked(*entries: str, url: str = "", ip: str = "", allows_no_origin: bool = False) -> Explanation:
    return explain(
        [parse_entry(entry) for entry in entries],
        origin=parse_url(url),
        ip=ip_address(ip) if ip else None,
        allows_no_origin=allows_no_origin,
    )


def why_not(check: EntryCheck) -> dict[str, str]:
    return {part.part: part.why_not for part in check.parts if not part.fits}


@pytest.mark.parametrize(("pattern", "url", "reason"), CASES)
def test_list_tester_and_gate_give_the_same_answer(pattern: str, url: str, reason: str) -> None:
    """The list as it is read from what was typed, the tester, and the restrictions that the gate asks."""
    origin = parse_url(url)
    entries = [entry.parsed for entry in entries_read([pattern]) if entry.parsed is not None]
    answer = explain(entries, origin=origin, ip=IP)
    [check] = answer.entries

    assert answer.is_allowed is check.is_match is (not reason)
    assert Restrictions.of([pattern]).allow(origin, IP) is answer.is_allowed
    if origin is not None:
        assert " ".join(part.part for part in check.parts if not part.fits) == reason


_entries = st.sampled_from(
    ["a.com", "*.a.com", "http://a.com:81/x/*", "*", "10.0.0.0/8", "::1", "a.com/*", "10.0.0.1", "0.0.0.0/0"]
).map(parse_entry)
_origins = st.one_of(
    st.none(),
    st.builds(
        Origin,
        st.sampled_from(["http", "https"]),
        st.sampled_from(["a.com", "b.a.com", "c.com"]),
        st.sampled_from([80, 81, 443]),
        st.sampled_from(["/", "/x/y"]),
    ),
)
_ips = st.sampled_from(["10.0.0.1", "10.1.2.3", "192.0.2.1", "::1", "::ffff:10.0.0.1"]).map(ip_address)


@given(st.lists(_entries, max_size=4), _origins, _ips, st.booleans())
def test_answer_is_the_gate_s_for_any_list(
    entries: list[RestrictionEntry], origin: Origin | None, ip: object, allows_no_origin: bool
) -> None:
    assert not isinstance(ip, str)
    restrictions = Restrictions.of_parsed(entries, allows_no_origin=allows_no_origin)
    answer = explain(entries, origin=origin, ip=ip, allows_no_origin=allows_no_origin)  # type: ignore[arg-type]
    lets_no_origin_pass = origin is None and allows_no_origin and bool(restrictions.patterns)
    by_entries = not entries or lets_no_origin_pass or any(check.is_match for check in answer.entries)

    assert answer.is_allowed is by_entries
    assert answer.is_allowed is restrictions.allow(origin, ip)  # type: ignore[arg-type]


@given(st.lists(_entries, max_size=4), _origins, st.booleans())
def test_address_that_is_not_asked_about_lets_nothing_pass(
    entries: list[RestrictionEntry], origin: Origin | None, allows_no_origin: bool
) -> None:
    answer = explain(entries, origin=origin, ip=None, allows_no_origin=allows_no_origin)
    restrictions = Restrictions.of_parsed(entries, allows_no_origin=allows_no_origin)
    lets_no_origin_pass = origin is None and allows_no_origin and bool(restrictions.patterns)

    assert answer.is_allowed is (not entries or lets_no_origin_pass or any(check.is_match for check in answer.entries))


def test_entries_keep_the_order_of_the_list_and_say_which_matches() -> None:
    answer = asked("10.0.0.0/8", "b.com", "a.com", url="https://a.com/", ip="192.0.2.1")
    assert [(check.text, check.is_match) for check in answer.entries] == [
        ("10.0.0.0/8", False),
        ("http*://b.com/*", False),
        ("http*://a.com/*", True),
    ]
    assert answer.reason == "“http*://a.com/*” lets it pass."


@pytest.mark.parametrize(
    ("entry", "url", "reasons"),
    [
        ("https://a.com", "http://a.com/", {"scheme": "The page is on http, the entry is for https."}),
        ("*.a.com", "https://a.com/", {"host": "*.a.com covers the subdomains of a.com, not a.com itself."}),
        ("a.com", "https://www.a.com/", {"host": "www.a.com is a subdomain, and a.com covers none."}),
        ("a.com", "https://b.com/", {"host": "b.com is not a.com."}),
        ("a.com", "https://a.com:8443/", {"port": "The page is on port 8443, the entry is for port 443."}),
        ("a.com:81", "http://a.com/", {"port": "The page is on port 80, the entry is for port 81."}),
        (
            "a.com/shop/*",
            "https://a.com/",
            {"path": "The entry is for /shop/*, and only “/” was sent, as browsers do from one site to another."},
        ),
        ("a.com/shop/*", "https://a.com/x", {"path": "The page’s path is /x, the entry is for /shop/*."}),
        (
            "https://a.com:81",
            "http://b.com/",
            {
                "scheme": "The page is on http, the entry is for https.",
                "host": "b.com is not a.com.",
                "port": "The page is on port 80, the entry is for port 81.",
            },
        ),
    ],
)
def test_each_part_says_why_it_does_not_fit(entry: str, url: str, reasons: dict[str, str]) -> None:
    [check] = asked(entry, url=url).entries
    assert why_not(check) == reasons


@pytest.mark.parametrize(
    ("entries", "asks", "is_allowed", "reason"),
    [
        ((), {}, True, "The list is empty: the key works from anywhere."),
        (("a.com",), {"url": "https://b.com/"}, False, "No entry fits; one would be enough."),
        (("a.com",), {"ip": "10.0.0.1"}, False, "It names no web site, and no IP address on the list fits."),
        (("a.com",), {"allows_no_origin": True}, True, "It names no web site, and this key lets such requests pass."),
        (("10.0.0.1",), {"ip": "10.0.0.1"}, True, "“10.0.0.1” lets it pass."),
        (("10.0.0.1",), {"allows_no_origin": True}, False, "It names no web site, and no IP address on the list fits."),
        (("0.0.0.0/0",), {"url": "https://a.com/"}, False, "No entry fits; one would be enough."),
    ],
)
def test_answer_is_given_in_a_sentence(
    entries: tuple[str, ...], asks: dict[str, object], is_allowed: bool, reason: str
) -> None:
    answer = asked(*entries, **asks)  # type: ignore[arg-type]
    assert (answer.is_allowed, answer.reason) == (is_allowed, reason)


@pytest.mark.parametrize(
    ("entry", "ip", "reason"),
    [
        ("10.0.0.1", "10.0.0.2", "10.0.0.2 is another address."),
        ("10.0.0.0/8", "192.0.2.1", "192.0.2.1 is not in this range."),
        ("10.0.0.0/8", "", "Enter an IP address to have it compared."),
    ],
)
def test_address_that_does_not_fit_says_why(entry: str, ip: str, reason: str) -> None:
    [check] = asked(entry, ip=ip).entries
    assert (check.is_match, check.why_not) == (False, reason)


def test_browser_sends_the_origin_of_a_page_and_the_rest_only_by_its_policy() -> None:
    page = parse_url("https://a.com:8443/shop/list?q=1")
    assert page is not None
    assert sent_by_browser(page) == Origin("https", "a.com", 8443, "/")
    assert sent_by_browser(page, is_whole_url=True) == page
