"""What each kind of URL pattern lets in and keeps out, and why, as a customer would read it. Data only."""

from __future__ import annotations

from tests.keys.pattern_cases_elsewhere import BY_PATTERN as ELSEWHERE

# The URLs that a pattern allows, and those that it refuses by the parts at fault ("unreadable": no page has it).
Sides = tuple[tuple[str, ...], dict[str, tuple[str, ...]]]

_BY_PATTERN: dict[str, Sides] = {
    "http*://example.com/*": (
        (
            "http://example.com",
            "https://example.com/",
            "https://EXAMPLE.com/",
            "HTTPS://example.com/",
            "http://example.com/a?b",
            "http://example.com/a/b/c.html#top",
            "https://example.com./",
            "https://example.com:443/",
            "http://example.com:80/",
            "https://example.com:/",
            "https://example.com?http://evil.org/",
        ),
        {
            "unreadable": (
                "https://example.com@evil.org/",
                "https://example.com:pass@evil.org/",
                "https://evil.org@example.com/",
                "https://evil.org\\example.com/",
                "https://example.com\\@evil.org/",
                "https://evil.org;example.com/",
                "https://evil.org%2Fexample.com/",
                "https://evil.org%00.example.com/",
                "//example.com/",
                "example.com",
                "null",
                "",
            ),
            "host": (
                "https://example.com.evil.org/",
                "https://evil.org/?http://example.com/",
                "https://evil.org/#http://example.com/",
                "https://evil.org/http://example.com/",
                "https://www.example.com/",
                "https://notexample.com/",
                "https://example.co/",
                "https://example.com.vn/",
            ),
            "port": ("https://example.com:8443/", "http://example.com:443/", "https://example.com:80/"),
            "scheme": (
                "ftp://example.com/",
                "httpx://example.com/",
                "http+unix://example.com/",
                "ws://example.com/",
                "capacitor://example.com/",
            ),
        },
    ),
    "http*://*.example.com/*": (
        (
            "https://www.example.com/",
            "http://a.b.c.example.com/x",
            "https://WWW.Example.COM/",
            "https://my_app.example.com/",
            "https://www.example.com./",
        ),
        {
            "host": (
                "https://example.com/",
                "http://evil.com/.example.com/",
                "http://evil.com/?.example.com/",
                "http://evil.com#.example.com/",
                "http://evil.com:80/.example.com/",
                "https://evilexample.com/",
                "https://www.example.com.evil.org/",
            ),
            "unreadable": ("https://.example.com/", "https://www..example.com/"),
            "port": ("https://www.example.com:8080/",),
        },
    ),
    "http*://subdomain.example.com/*": (
        ("https://subdomain.example.com/", "http://subdomain.example.com/a"),
        {"host": ("https://example.com/", "https://a.subdomain.example.com/", "https://other.example.com/")},
    ),
    "example.com": (
        ("http://example.com/", "https://example.com/a/b", "https://example.com/*"),
        {
            "host": ("https://www.example.com/",),
            "port": ("https://example.com:8080/",),
            "scheme": ("ftp://example.com/",),
        },
    ),
    "example.com/*": (
        ("http://example.com/", "https://example.com/a"),
        {"host": ("https://a.example.com/", "https://example.org/")},
    ),
    "*.example.com": (
        ("https://a.example.com/", "http://b.a.example.com/"),
        {"host": ("https://example.com/",)},
    ),
    "EXAMPLE.com": (
        ("https://example.com/",),
        {"host": ("https://example.net/",)},
    ),
    "example.com.": (
        ("https://example.com/", "https://example.com./"),
        {"unreadable": ("https://example.com../",)},
    ),
    "https://example.com": (
        ("https://example.com/", "https://example.com/a"),
        {"scheme": ("http://example.com/",)},
    ),
    "HTTP://example.com": (
        ("http://example.com/",),
        {"scheme": ("https://example.com/",)},
    ),
    "https://example.com/": (
        ("https://example.com", "https://example.com/?a"),
        {"path": ("https://example.com/a",)},
    ),
    "https://example.com:8443/app/*": (
        ("https://example.com:8443/app/", "https://example.com:8443/app/a/b?c", "https://example.com:08443/app/"),
        {
            "path": (
                "https://example.com:8443/app",
                "https://example.com:8443/application",
                "https://example.com:8443/App/",
                "https://example.com:8443/",
                "https://example.com:8443/app/../admin",
                "https://example.com:8443/app/%2e%2E/admin",
            ),
            "port": ("https://example.com/app/",),
            "scheme": ("http://example.com:8443/app/",),
        },
    ),
    "https://example.com:443": (
        ("https://example.com/", "https://example.com:443"),
        {"port": ("https://example.com:80/",)},
    ),
    "http*://example.com:443": (
        ("https://example.com/", "http://example.com:443/"),
        {"port": ("http://example.com/", "https://example.com:444/")},
    ),
    "localhost:3000": (
        ("http://localhost:3000/", "https://localhost:3000/a"),
        {"port": ("http://localhost/", "http://localhost:30000/"), "host": ("http://127.0.0.1:3000/",)},
    ),
    "http://localhost:*": (
        ("http://localhost/", "http://localhost:1/", "http://LOCALHOST:65535/a"),
        {
            "scheme": ("https://localhost/",),
            "unreadable": ("http://localhost:65536/", "http://localhost:0/"),
            "host": ("http://a.localhost/",),
        },
    ),
    "http://localhost:080": (
        ("http://localhost/",),
        {"port": ("http://localhost:8080/",)},
    ),
    "*": (
        ("http://example.com/", "https://a.b.c/d", "http://[::1]/", "https://10.0.0.1/"),
        {"port": ("https://example.com:8080/",), "scheme": ("capacitor://localhost",), "unreadable": ("null",)},
    ),
    "*:*": (
        ("https://example.com:8080/", "http://[::1]:9/"),
        {"scheme": ("capacitor://localhost",)},
    ),
    "*://*:*/*": (
        ("https://example.com:8080/a", "capacitor://localhost", "chrome-extension://abcdef/popup.html"),
        {"unreadable": ("null", "about:blank", "data:text/html,x", "file:///etc/passwd", "https://")},
    ),
    "*://localhost": (
        ("capacitor://localhost", "ionic://localhost/", "http://localhost/", "wss://localhost:443/"),
        {"port": ("capacitor://localhost:80", "http://localhost:8080/")},
    ),
    "capacitor://localhost": (
        ("capacitor://localhost", "CAPACITOR://localhost/a"),
        {"scheme": ("http://localhost/",)},
    ),
    "capacitor://localhost:80": (
        ("capacitor://localhost:80/",),
        {"port": ("capacitor://localhost",)},
    ),
    "*-extension://abcdef": (
        ("chrome-extension://abcdef/", "moz-extension://abcdef"),
        {"scheme": ("extension://abcdef/",), "host": ("chrome-extension://abcdefg/",)},
    ),
    "ht*://example.com": (
        ("http://example.com/", "httpx://example.com/"),
        {"scheme": ("ftp://example.com/",)},
    ),
    "*.com": (
        ("https://example.com/", "https://a.b.com/"),
        {"host": ("https://com/", "https://example.org/", "https://example.com.vn/", "https://example.org/.com")},
    ),
    "example.*": (
        ("https://example.com/", "https://example.org/"),
        {"host": ("https://example.com.vn/", "https://example/", "https://a.example.com/")},
    ),
    "https://app-*.example.com/*": (
        ("https://app-1.example.com/", "https://app-.example.com/", "https://app-a-b.example.com/x"),
        {
            "host": (
                "https://app-1.evil.example.com/",
                "https://app.example.com/",
                "https://app-1.example.com.evil.org/",
                "https://app-1/.example.com/",
                "https://x.app-1.example.com/",
            )
        },
    ),
    "*.app-*.example.com": (
        ("https://x.app-1.example.com/", "https://y.x.app-1.example.com/"),
        {"host": ("https://app-1.example.com/", "https://x.app-1.y.example.com/")},
    ),
    "a.*.example.com": (
        ("https://a.b.example.com/",),
        {"host": ("https://a.b.c.example.com/", "https://a.example.com/", "https://x.a.b.example.com/")},
    ),
    "*.*.example.com": (
        ("https://a.b.example.com/", "https://a.b.c.example.com/"),
        {"host": ("https://a.example.com/", "https://example.com/")},
    ),
    "*.*": (
        ("https://a.b/", "https://a.b.c/"),
        {"host": ("https://localhost/", "https://[::1]/", "https://[::1.2.3.4]/")},
    ),
    "*example.com": (
        ("https://example.com/", "https://myexample.com/"),
        {"host": ("https://www.example.com/", "https://example.com.org/")},
    ),
    "exa*le*.com": (
        ("https://example.com/", "https://exalelele.com/"),
        {"host": ("https://exale.x.com/", "https://exal.com/")},
    ),
    "https://***.example.com/**": (
        ("https://a.example.com/b",),
        {"host": ("https://example.com/b",)},
    ),
    "https://example.com/a*c": (
        ("https://example.com/ac", "https://example.com/a/b/c", "https://example.com/abc?d"),
        {
            "path": (
                "https://example.com/a",
                "https://example.com/ab?c",
                "https://example.com/acd",
                "https://example.com/Ac",
            )
        },
    ),
    "https://example.com/*.html": (
        ("https://example.com/.html", "https://example.com/a/b.html?x"),
        {"path": ("https://example.com/", "https://example.com/?a.html", "https://example.com/a.htm")},
    ),
    "https://example.com/*/a/*/b/*": (
        ("https://example.com/x/a/y/b/", "https://example.com/x/a/a/b/b/z", "https://example.com//a//b/"),
        {"path": ("https://example.com/x/b/y/a/", "https://example.com/a/b/", "https://example.com/x/a/b/z")},
    ),
    "https://example.com/aba*aba": (
        ("https://example.com/abaaba", "https://example.com/aba-aba"),
        {"path": ("https://example.com/aba", "https://example.com/ababa")},
    ),
    "https://example.com/@user": (
        ("https://example.com/@user",),
        {"unreadable": ("https://user@example.com/@user",)},
    ),
    "https://example.com/phở/*": (
        ("https://example.com/ph%E1%BB%9F/", "https://example.com/ph%e1%bb%9f/a", "https://example.com/phở/"),
        {"path": ("https://example.com/pho/",)},
    ),
    "https://example.com/a%2fb": (
        ("https://example.com/a%2Fb",),
        {"path": ("https://example.com/a/b", "https://example.com/a%252Fb")},
    ),
    "https://münchen.de": (
        ("https://münchen.de/", "https://xn--mnchen-3ya.de/", "https://MÜNCHEN.de/", "https://XN--MNCHEN-3YA.de"),
        {"host": ("https://munchen.de/", "https://www.münchen.de/")},
    ),
    "*.münchen.de": (
        ("https://a.xn--mnchen-3ya.de/", "https://phở.münchen.de/"),
        {"host": ("https://münchen.de/",)},
    ),
    "straße.de": (
        ("https://xn--strae-oqa.de/",),
        {"host": ("https://strasse.de/",)},
    ),
    "bản_đồ.vn": (
        ("https://bản_đồ.vn/", "https://BẢN_ĐỒ.vn/"),
        {"host": ("https://ban_do.vn/",)},
    ),
    "i❤.ws": (
        ("https://xn--i-7iq.ws/",),
        {"host": ("https://i.ws/",)},
    ),
    "http://10.0.0.1": (
        ("http://10.0.0.1/",),
        {"host": ("http://10.0.0.10/", "http://x.10.0.0.1/"), "scheme": ("https://10.0.0.1/",)},
    ),
    "10.0.0.1:8080": (
        ("http://10.0.0.1:8080/",),
        {"port": ("http://10.0.0.1/",)},
    ),
    "http://10.0.0.*": (
        ("http://10.0.0.9/",),
        {"host": ("http://10.0.1.9/", "http://10.0.0.1.example.com/")},
    ),
    "http://[::1]:3000/*": (
        ("http://[::1]:3000/", "http://[0:0:0:0:0:0:0:1]:3000/a"),
        {
            "port": ("http://[::1]/",),
            "host": ("http://[::2]:3000/",),
            "unreadable": ("http://::1:3000/", "http://[::1%25lo]:3000/"),
        },
    ),
    "[2001:DB8::A]": (
        ("https://[2001:db8::a]/", "http://[2001:db8:0::a]"),
        {"host": ("https://[2001:db8::b]/",)},
    ),
}

# Pattern, URL, and why it is refused; empty where it is allowed.
CASES: list[tuple[str, str, str]] = [
    (pattern, url, reason)
    for table in (_BY_PATTERN, ELSEWHERE)
    for pattern, (allowed, refused) in table.items()
    for reason, urls in (("", allowed), *refused.items())
    for url in urls
]
