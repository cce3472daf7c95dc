from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.coverage import Coverage, coverage_of
from keys.entries import entry_read
from keys.origins import parse_url
from keys.patterns import UrlPattern
from keys.restrictions import parse_entry
from tests.keys.pattern_cases import CASES


@pytest.mark.parametrize(
    ("entry", "covered", "uncovered"),
    [
        (
            "example.com",
            ("https://example.com/", "http://example.com/", "https://example.com/page"),
            {
                "https://www.example.com/": "host",
                "https://example.com:8080/": "port",
                "https://example.com.evil.example/": "host",
            },
        ),
        (
            "https://*.example.com",
            ("https://www.example.com/", "https://www.example.com/page"),
            {
                "https://example.com/": "host",
                "http://www.example.com/": "scheme",
                "https://www.example.com:8080/": "port",
            },
        ),
        (
            "http://localhost:*",
            ("http://localhost/", "http://localhost/page", "http://localhost:8080/"),
            {"https://localhost/": "scheme"},
        ),
        (
            "example.com/shop/*",
            ("https://example.com/shop/", "http://example.com/shop/"),
            {"https://www.example.com/shop/": "host", "https://example.com/": "path"},
        ),
        ("203.0.113.7", ("203.0.113.7",), {"203.0.113.6": None, "203.0.113.8": None}),
        ("10.0.0.0/8", ("10.0.0.0", "10.255.255.255"), {"9.255.255.255": None, "11.0.0.0": None}),
        ("::/0", ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), {}),
    ],
)
def test_entry_is_shown_in_examples_of_both_sides(
    entry: str, covered: tuple[str, ...], uncovered: dict[str, str | None]
) -> None:
    coverage = coverage_of(parse_entry(entry))
    assert coverage.covered == covered
    shown = {example.text: example.part for example in coverage.uncovered}
    assert {text: shown.get(text, "not shown") for text in uncovered} == uncovered


def is_true(pattern: UrlPattern, coverage: Coverage) -> bool:
    def passes(url: str) -> bool:
        origin = parse_url(url)
        assert origin is not None
        return pattern.matches(origin)

    return all(map(passes, coverage.covered)) and not any(passes(example.text) for example in coverage.uncovered)


@pytest.mark.parametrize("text", sorted({pattern for pattern, _, _ in CASES}))
def test_examples_of_every_pattern_in_the_table_are_true(text: str) -> None:
    entry = parse_entry(text) if not text[0].isdigit() else entry_read(text).parsed
    if isinstance(entry, UrlPattern):
        assert is_true(entry, coverage_of(entry))


@given(st.text("ab.*:/1-", min_size=1, max_size=20))
def test_examples_of_any_entry_are_true(text: str) -> None:
    entry = entry_read(text).parsed
    if isinstance(entry, UrlPattern):
        assert is_true(entry, coverage_of(entry))
    elif entry is not None:
        coverage = coverage_of(entry)
        assert all(ip_address(ip) in entry for ip in coverage.covered)
        assert not any(ip_address(example.text) in entry for example in coverage.uncovered)
