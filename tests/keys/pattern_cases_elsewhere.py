"""The examples of others' documentation, read by our rules: what comes out the same, and what does not. Data only.

Where ours differ, a comment says how the other reads it. For the customer who brings a list along.
"""

from __future__ import annotations

# Pattern: the URLs that it allows, and those that it refuses by the parts at fault.
BY_PATTERN: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    # ---- Google Maps Platform: HTTP referrers ----
    # One address, exactly as it is written.
    "www.example.com/path": (
        ("https://www.example.com/path", "http://www.example.com/path", "https://www.example.com/path?a=b"),
        {
            "path": (
                "https://www.example.com/",  # What browsers send: Google warns of paths for this reason.
                "https://www.example.com/path/",
                "https://www.example.com/path/more",
                "https://www.example.com/Path",
            ),
            "host path": ("https://example.com/",),
            "host": ("https://example.com/path",),
        },
    ),
    "www.example.com/path*": (
        ("https://www.example.com/path", "https://www.example.com/path/more", "https://www.example.com/pathology"),
        {"path": ("https://www.example.com/", "https://www.example.com/other/path")},
    ),
    # Google: the trailing "/*" is any path, none of the subdomains.
    "https://www.example.com/*": (
        ("https://www.example.com/", "https://www.example.com", "https://www.example.com/a/b?c=d#e"),
        {"scheme": ("http://www.example.com/",), "host": ("https://example.com/", "https://a.www.example.com/")},
    ),
    # "All subdomains": a second entry is needed for the domain itself.
    "https://*.example.com/*": (
        ("https://www.example.com/", "https://deep.down.example.com/a"),
        {
            "scheme": ("http://www.example.com/",),
            "host": ("https://example.com/", "https://example.com.evil.org/", "https://badexample.com/"),
            "scheme host": ("http://example.com/",),
        },
    ),
    # Google's "*example.com/*" is said to be the domain and its subdomains; ours stays in one label.
    "*example.com/*": (
        ("https://example.com/", "https://badexample.com/"),
        {"host": ("https://www.example.com/", "https://example.com.evil.org/")},
    ),
    # Ports are named one by one, or all of them.
    "www.example.com:8000/*": (
        ("http://www.example.com:8000/", "https://www.example.com:8000/a"),
        {"port": ("http://www.example.com/", "https://www.example.com:8001/", "https://www.example.com/")},
    ),
    "https://google.com:4200/*": (
        ("https://google.com:4200/", "https://google.com:4200/app"),
        {"port": ("https://google.com/",), "scheme": ("http://google.com:4200/",)},
    ),
    "http://127.0.0.1": (
        ("http://127.0.0.1/", "http://127.0.0.1:80/a"),
        {
            "port": ("http://127.0.0.1:8080/",),
            "scheme port": ("https://127.0.0.1:80/",),
            "scheme": ("https://127.0.0.1/",),
            "host": ("http://127.0.0.2/", "http://localhost/"),
        },
    ),
    "http://localhost": (
        ("http://localhost/", "http://localhost"),
        {"port": ("http://localhost:3000/", "http://localhost:8080/a"), "scheme": ("https://localhost/",)},
    ),
    # ---- Mapbox: no wildcards; subdomains and subpaths are implied there, and written out here ----
    "https://docs.example.com": (
        ("https://docs.example.com/", "https://docs.example.com/help/", "https://docs.example.com/a?b#c"),
        {
            "scheme": ("http://docs.example.com/",),
            "host": ("https://example.com/", "https://www.docs.example.com/"),  # Mapbox: the second passes.
            "port": ("https://docs.example.com:8443/",),
        },
    ),
    "example.org": (
        ("http://example.org/", "https://example.org/", "https://example.org/about/"),
        {"host": ("https://www.example.org/", "https://docs.example.org/", "https://example.com/")},
    ),
    # Mapbox: this and all that begins so.
    "https://www.example.com/maps/": (
        ("https://www.example.com/maps/", "https://www.example.com/maps/?zoom=3"),
        {"path": ("https://www.example.com/maps/streets", "https://www.example.com/about", "https://www.example.com/")},
    ),
    "https://www.example.com/maps/*": (
        ("https://www.example.com/maps/", "https://www.example.com/maps/streets"),
        {"path": ("https://www.example.com/about", "https://www.example.com/maps", "https://www.example.com/")},
    ),
    "http://localhost:8080": (
        ("http://localhost:8080/", "http://localhost:8080/map.html"),
        {"port": ("http://localhost/", "http://localhost:8081/"), "scheme": ("https://localhost:8080/",)},
    ),
    # ---- MapTiler: an exact host, or "*." and a host; no scheme, port or path ----
    "maps.example.com": (
        ("https://maps.example.com/", "http://maps.example.com/a"),
        {
            "host": ("https://example.com/", "https://old.maps.example.com/", "https://maps.example.com.evil.org/"),
            "port": ("https://maps.example.com:8080/",),  # MapTiler looks at no port.
        },
    ),
    "*.maps.example.com": (
        ("https://a.maps.example.com/", "https://a.b.maps.example.com/"),
        {"host": ("https://maps.example.com/", "https://maps.example.org/", "https://amaps.example.com/")},
    ),
    "localhost": (
        ("http://localhost/", "https://localhost/"),
        {"port": ("http://localhost:3000/",), "host": ("http://localhost.example.com/", "http://127.0.0.1/")},
    ),
    "192.168.1.10:*": (
        ("http://192.168.1.10/", "http://192.168.1.10:5173/"),
        {"host": ("http://192.168.1.100/", "http://192.168.1.1/")},
    ),
}
