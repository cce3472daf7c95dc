from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import RestrictionError
from keys.examples import curl_line, example_site
from keys.origins import parse_url
from keys.patterns import UrlPattern
from keys.restrictions import parse_entry


def line(*restrictions: str, key_type: str = "rest") -> str:
    return curl_line(gate_url="https://api.vn", key_type=key_type, key_text="K", restrictions=restrictions)


def test_rest_key_is_tried_with_a_geocode_and_a_tiles_key_with_a_style() -> None:
    assert line() == "curl 'https://api.vn/Geocode?address=91+Trung+Kinh&api_key=K'"
    assert line(key_type="tiles") == "curl 'https://api.vn/assets/goong_map_web.json?api_key=K'"


def test_restricted_key_is_tried_from_a_site_that_may_use_it() -> None:
    assert shlex.split(line("203.0.113.7", "http*://*.example.com/*"))[:3] == [
        "curl",
        "--referer",
        "https://www.example.com/",
    ]


def test_key_for_servers_only_is_tried_without_an_origin() -> None:
    assert "--referer" not in line("203.0.113.7", "2001:db8::/32")


@pytest.mark.parametrize(
    ("pattern", "site"),
    [
        ("http*://example.com/*", "https://example.com/"),
        ("http://localhost:*", "http://localhost/"),
        ("http://localhost:3000/*", "http://localhost:3000/"),
        ("https://shop-*.example.com/a/*/c", "https://shop-a.example.com/a//c"),
        ("*", "https://www.example.com/"),
        ("203.0.113.0/24", None),
        ("bad one", None),
    ],
)
def test_example_site_is_one_that_the_pattern_lets_pass(pattern: str, site: str | None) -> None:
    assert example_site(pattern) == site


@given(st.text(alphabet="abc*:/.-'$`\"[]0 9"))
def test_no_example_is_ever_refused_or_breaks_the_command(text: str) -> None:
    site = example_site(text)
    if site is None:
        return
    origin = parse_url(site)
    assert origin is not None
    pattern = parse_entry(text)
    assert isinstance(pattern, UrlPattern)
    assert pattern.matches(origin)
    assert shlex.split(line(text))[2] == site


def test_pattern_that_cannot_be_read_is_no_error_here() -> None:
    with pytest.raises(RestrictionError):
        parse_entry("a b")
    assert example_site("a b") is None
