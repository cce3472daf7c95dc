"""Origins: what a URL in a header is taken for, and which of two headers counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.origins import Origin, origin_text, parse_url, path_normalised, request_origin

PAGE = Origin("https", "example.com", 443, "/a")
SITE = Origin("https", "example.com", 443, "/")
EVIL = Origin("https", "evil.org", 443, "/")


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://example.com", SITE),
        ("https://example.com/", SITE),
        ("HTTPS://EXAMPLE.com./?q#f", SITE),
        ("https://example.com?q", SITE),
        ("https://example.com#f", SITE),
        ("https://example.com:/", SITE),
        ("https://example.com:00443/", SITE),
        ("http://example.com:8080/A/b", Origin("http", "example.com", 8080, "/A/b")),
        ("http://example.com/a?b=c/d", Origin("http", "example.com", 80, "/a")),
        ("https://example.com/@user", Origin("https", "example.com", 443, "/@user")),
        ("https://phở.vn/phở", Origin("https", "xn--ph-rbt.vn", 443, "/ph%E1%BB%9F")),
        ("https://my_app.phở.vn", Origin("https", "my_app.xn--ph-rbt.vn", 443, "/")),
        ("https://ＥＸＡＭＰＬＥ。com", SITE),
        ("http://[0:0:0:0:0:0:0:1]:3000/", Origin("http", "[::1]", 3000, "/")),
        ("http://[2001:DB8::A]", Origin("http", "[2001:db8::a]", 80, "/")),
        ("capacitor://localhost", Origin("capacitor", "localhost", 0, "/")),
        ("chrome-extension://abcdef/x.html", Origin("chrome-extension", "abcdef", 0, "/x.html")),
        ("wss://example.com", Origin("wss", "example.com", 443, "/")),
        ("https://example.com/\ud800", Origin("https", "example.com", 443, "/%3F")),
    ],
)
def test_url_is_read_as_a_browser_means_it(text: str, origin: Origin) -> None:
    assert parse_url(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "example.com",
        "//example.com/",
        "://example.com/",
        "https:",
        "https:/example.com/",
        "https:example.com",
        "https://",
        "https:///path",
        "https://?example.com",
        "file:///etc/passwd",
        "about:blank",
        "data:text/html,x",
        "1https://example.com/",
        "https://example.com@evil.org/",
        "https://example.com:443@evil.org/",
        "https://@evil.org/",
        "https://evil.org\\@example.com/",
        "https:\\\\example.com\\",
        "https://example.com/a\\b",
        " https://example.com/",
        "https://example.com/ ",
        "https://exam ple.com/",
        "https://exam\tple.com/",
        "https://example.com/\r\nX: y",
        "https://example.com\x00.evil.org/",
        "https://example.com/\x7f",
        "https://example.com, https://evil.org",
        "https://example.com,https://evil.org",
        "https://example%2ecom/",
        "https://exam*ple.com/",
        "https://＊.münchen.de/",
        "https://evil.org℀example.com/",
        "https://.example.com/",
        "https://example..com/",
        "https://example.com../",
        "https://./",
        "https://\ud800.com/",
        "https://" + "a" * 64 + ".com/",
        "https://" + "a." * 127 + "com/",
        "https://" + "é" * 254 + "/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:443443/",
        "https://example.com:-1/",
        "https://example.com:+80/",
        "https://example.com:٣/",
        "https://example.com:80:80/",
        "https://example.com:http/",
        "https://::1/",
        "https://[::1/",
        "https://[::1]a/",
        "https://[::g]/",
        "https://[1.2.3.4]/",
        "https://[fe80::1%25eth0]/",
        "https://example.com/" + "a" * 8192,
    ],
)
def test_what_no_browser_sends_is_no_url(text: str) -> None:
    assert parse_url(text) is None


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/../../a", "/a"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e", "/"),
        ("/a//b/", "/a//b/"),
        ("/.well-known/a...b", "/.well-known/a...b"),
        ("/a%2fb%c3%a9", "/a%2Fb%C3%A9"),
        ('/{a}"<b>`^', "/%7Ba%7D%22%3Cb%3E%60%5E"),
        ("/100%", "/100%"),
    ],
)
def test_path_is_put_as_a_browser_would_send_it(path: str, normal: str) -> None:
    assert path_normalised(path) == normal
    assert path_normalised(normal) == normal


@pytest.mark.parametrize(
    ("referer", "origin", "expected"),
    [
        (None, None, None),
        ("", "", None),
        ("https://example.com/a", None, PAGE),
        ("https://example.com/a", "", PAGE),
        (None, "https://example.com", SITE),
        ("https://example.com/a", "https://example.com", PAGE),
        ("https://example.com/a", "https://EXAMPLE.com:443", PAGE),
        ("https://example.com/a", "https://evil.org", EVIL),
        ("https://example.com/a", "http://example.com", Origin("http", "example.com", 80, "/")),
        ("https://example.com/a", "https://example.com:8443", Origin("https", "example.com", 8443, "/")),
        ("https://example.com/a", "null", None),
        (None, "null", None),
        ("https://example.com/a", "https://example.com https://evil.org", None),
        ("https://example.com/a", "garbage", None),
        ("https://example.com@evil.org/", "https://evil.org", EVIL),
        ("https://example.com@evil.org/", None, None),
        ("garbage", "https://example.com", SITE),
        ("about:blank", "https://evil.org", EVIL),
        ("garbage", "null", None),
        (None, "https://example.com/a/path", SITE),
    ],
)
def test_origin_of_a_request_is_its_referer_unless_origin_differs(
    referer: str | None, origin: str | None, expected: Origin | None
) -> None:
    assert request_origin(referer, origin) == expected


@given(st.text(max_size=50))
def test_no_referer_outweighs_the_origin_that_a_browser_states(referer: str) -> None:
    found = request_origin(referer, "https://evil.org")

    assert found is not None
    assert found.is_same_origin(EVIL)


@given(st.text(max_size=50).filter(lambda text: text and parse_url(text) is None))
def test_unreadable_origin_is_never_made_good_by_a_referer(origin: str) -> None:
    assert request_origin("https://example.com/", origin) is None


@given(st.one_of(st.text(max_size=80), st.text("ht ps:/.@[]\\%é*1?#\x00", max_size=40).map("https://".__add__)))
def test_any_text_is_read_or_refused_but_never_raises(text: str) -> None:
    origin = parse_url(text)

    if origin is not None:
        assert origin.path.startswith("/")
        assert origin.host == origin.host.lower()
        assert origin.host.isascii() and not set(origin.host) & set("/@\\?#* ")
        assert 0 <= origin.port <= 65535
        assert parse_url(origin_text(origin) + origin.path) == origin


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://example.com:443/a", "https://example.com"),
        ("http://example.com:443/", "http://example.com:443"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_origin_is_recorded_without_its_default_port(url: str, text: str) -> None:
    origin = parse_url(url)

    assert origin is not None
    assert origin_text(origin) == text
