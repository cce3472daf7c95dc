"""URL patterns: what they match, what is refused as a pattern, and that both hold for any text at all."""

from __future__ import annotations

import string
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import PatternError
from keys.origins import Origin, default_port, origin_text, parse_url
from keys.patterns import parse_pattern
from tests.keys.pattern_cases import CASES
from tests.keys.pattern_texts import NORMAL_TEXTS, REFUSED


@pytest.mark.parametrize(("pattern", "url", "reason"), CASES)
def test_pattern_allows_and_refuses_as_a_customer_reads_it(pattern: str, url: str, reason: str) -> None:
    origin = parse_url(url)

    matched = origin is not None and parse_pattern(pattern).matches(origin)

    assert matched is (not reason)


@pytest.mark.parametrize(("pattern", "url", "reason"), CASES)
def test_refusal_names_the_parts_at_fault(pattern: str, url: str, reason: str) -> None:
    origin = parse_url(url)

    faults = "unreadable" if origin is None else " ".join(parse_pattern(pattern).faults(origin))

    assert faults == reason


def test_table_of_cases_is_large_and_has_none_twice() -> None:
    assert len(CASES) >= 300
    assert len({(pattern, url) for pattern, url, _ in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("example.com", ("http*", "example.com", "", "/*")),
        ("https://*.example.com:8443/a/*", ("https", "*.example.com", "8443", "/a/*")),
        ("http://[::1]/", ("http", "[::1]", "", "/")),
        ("[::1]:*", ("http*", "[::1]", "*", "/*")),
        ("*://*:*/a://b:1", ("*", "*", "*", "/a://b:1")),
    ],
)
def test_parts_are_those_of_the_normal_text(text: str, parts: tuple[str, ...]) -> None:
    assert parse_pattern(text).parts == parts


@pytest.mark.parametrize(("text", "normal"), NORMAL_TEXTS)
def test_normal_text_spells_out_what_a_pattern_means(text: str, normal: str) -> None:
    assert parse_pattern(text).text == normal


def test_patterns_of_the_same_meaning_are_equal() -> None:
    assert len({parse_pattern(text) for text in ("example.com", "http*://EXAMPLE.com/*", "example.com./**")}) == 1


@pytest.mark.parametrize(("text", "part", "fragment"), REFUSED)
def test_bad_pattern_is_refused_with_the_part_at_fault(text: str, part: str, fragment: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern(text)

    assert (caught.value.part, caught.value.fragment) == (part, fragment)
    assert caught.value.reason == str(caught.value)
    assert caught.value.reason[0].isupper() and caught.value.reason.endswith(".")


@pytest.mark.parametrize(
    ("text", "has_path"),
    [
        ("example.com", False),
        ("example.com/", False),
        ("example.com/*", False),
        ("example.com/app/*", True),
        ("example.com/*.html", True),
        ("example.com/*/", True),
    ],
)
def test_has_path_tells_that_a_bare_origin_is_not_enough(text: str, has_path: bool) -> None:
    pattern = parse_pattern(text)

    assert pattern.has_path is has_path
    assert pattern.matches(Origin("https", "example.com", 443, "/")) is not has_path


@pytest.mark.parametrize("text", ["https://*.a.b", "https://*a.b", "https://a*.b", "https://*.b:*", "a*:*"])
@pytest.mark.parametrize("url", ["https://evil.org/.a.b", "https://evil.org:444/.a.b", "https://evil.org?.a.b"])
def test_star_in_host_never_crosses_into_path(text: str, url: str) -> None:
    origin = parse_url(url)

    assert origin is not None
    assert not parse_pattern(text).matches(origin)


# Small alphabets, so that texts and patterns meet often.
_labels = st.text("ab", min_size=1, max_size=3)
_hosts = st.lists(_labels, min_size=1, max_size=4).map(".".join)
_schemes = st.sampled_from(["http", "https", "ws", "app"])
_origins = st.builds(
    Origin, _schemes, _hosts, st.sampled_from([0, 80, 443, 8080]), st.text("ab/", max_size=6).map("/".__add__)
).filter(lambda origin: bool(origin.port) or not default_port(origin.scheme))
_wild_hosts = st.lists(st.text("ab*", min_size=1, max_size=4), min_size=1, max_size=4).map(".".join)
_patterns = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "http*://", "*://", "http://", "https://", "*s://", "a*p://", "h*://"]),
    _wild_hosts,
    st.sampled_from(["", ":*", ":80", ":443", ":8080"]),
    st.one_of(st.just(""), st.text("ab*/", max_size=6).map("/".__add__)),
)


@cache
def _fits(pattern: str, text: str, stop: str = "") -> bool:
    """The definition of a wildcard, as slow as it is plain."""
    if not pattern:
        return not text
    if pattern[0] != "*":
        return text[:1] == pattern[0] and _fits(pattern[1:], text[1:], stop)
    is_longer = bool(text) and text[0] not in stop and _fits(pattern, text[1:], stop)
    return is_longer or _fits(pattern[1:], text, stop)


def _host_fits(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    if not pattern.startswith("*."):
        return _fits(pattern, host, ".")
    dots = [at for at, character in enumerate(host) if character == "."]
    return any(_fits(pattern[2:], host[at + 1 :], ".") for at in dots)


def _reference_matches(text: str, origin: Origin) -> bool:
    while "**" in text:
        text = text.replace("**", "*")
    scheme, rest = text.split("://") if "://" in text else ("http*", text)
    authority, slash, path = rest.partition("/")
    host, _, port = authority.partition(":")
    return (
        (origin.scheme in ("http", "https") if scheme == "http*" else _fits(scheme, origin.scheme))
        and _host_fits(host, origin.host)
        and (port == "*" or origin.port == int(port or default_port(origin.scheme)))
        and (not slash or _fits("/" + path, origin.path))
    )


@given(_patterns, st.lists(_origins, min_size=1, max_size=20))
def test_matching_agrees_with_the_plain_definition(text: str, origins: list[Origin]) -> None:
    pattern = parse_pattern(text)

    for origin in origins:
        assert pattern.matches(origin) == _reference_matches(text, origin)
        assert pattern.matches(origin) == (not pattern.faults(origin))


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_stars_in_a_path_agree_with_the_plain_definition(wild: str, path: str) -> None:
    pattern = parse_pattern(f"http://a/{wild}")

    assert pattern.matches(Origin("http", "a", 80, f"/{path}")) == _fits(f"/{wild}", f"/{path}")


@given(_origins)
def test_pattern_made_of_an_origin_matches_it(origin: Origin) -> None:
    assert parse_pattern(origin_text(origin)).matches(origin)
    assert parse_pattern(origin_text(origin) + origin.path).matches(origin)


@given(st.text(string.ascii_letters + "/%.-_~!$&'()+,;=:@[]|^{}\"<>é❤", max_size=30))
def test_pattern_made_of_any_url_that_parses_matches_it(path: str) -> None:
    origin = parse_url(f"https://example.com/{path}")
    assert origin is not None

    assert parse_pattern(origin_text(origin) + origin.path).matches(origin)


@given(_patterns)
def test_normal_text_parses_to_the_same_pattern(text: str) -> None:
    pattern = parse_pattern(text)

    assert parse_pattern(pattern.text) == pattern


_hostile = st.one_of(
    st.text(max_size=60),
    st.text("*.:/[]@%?#\\ aé1＊。", max_size=40),
    st.text("*./:aé%", max_size=40).map("http*://".__add__),
)


@given(_hostile)
def test_any_text_is_a_pattern_or_raises_pattern_error_only(text: str) -> None:
    try:
        pattern = parse_pattern(text)
    except PatternError as error:
        assert error.reason
        return
    assert pattern.text.isascii()
    assert parse_pattern(pattern.text) == pattern


@given(_hostile, _hostile)
def test_any_pattern_can_be_asked_about_any_url(text: str, url: str) -> None:
    origin = parse_url(url)
    try:
        pattern = parse_pattern(text)
    except PatternError:
        return
    if origin is not None:
        assert pattern.matches(origin) in (True, False)


@given(_wild_hosts.filter(lambda host: host.strip("*")), _hosts, st.text("ab.", max_size=9))
def test_path_never_lends_the_host_a_label(wild: str, host: str, tail: str) -> None:
    pattern = parse_pattern(f"http://{wild}/*")
    bare = Origin("http", host, 80, "/")

    assert pattern.matches(Origin("http", host, 80, "/" + tail)) == pattern.matches(bare)


_HOSTILE_PATTERNS = [
    "http*://" + "*a" * 240 + "/" + "*a" * 753,
    "http*://a/" + "*a" * 995,
    "http*://*." + "a*." * 120 + "a/" + "a*" * 812,
    "http*://a/" + "a*" * 995,
    "*" * 2000,
]
_HOSTILE_URLS = ["http://a/" + "a" * 1991, "http://" + "a." * 126 + "a/" + "ab" * 870, "http://a/" + "%61" * 663]


@pytest.mark.parametrize("text", _HOSTILE_PATTERNS)
@pytest.mark.parametrize("url", _HOSTILE_URLS)
def test_pattern_and_url_of_2_000_hostile_characters_are_answered(text: str, url: str) -> None:
    """Linear by construction (`keys.globs`); how long it takes is measured in bench/."""
    pattern, origin = parse_pattern(text), parse_url(url)

    assert len(text) >= 1_990 and len(url) >= 1_990
    assert origin is not None
    assert pattern.matches(origin) == (not pattern.faults(origin))
    assert parse_pattern(pattern.text) == pattern
