"""A first request to try a key with: one line for a terminal, with an origin that the key lets pass. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from keys.errors import RestrictionError
from keys.origins import parse_url
from keys.patterns import UrlPattern
from keys.restrictions import parse_entry

_ANY_HOST = "www.example.com"
_PATHS = {"rest": "/Geocode?address=91+Trung+Kinh", "tiles": "/assets/goong_map_web.json?"}


def curl_line(*, gate_url: str, key_type: str, key_text: str, restrictions: Iterable[str] = ()) -> str:
    """A `curl` command that uses the key, from the first site among `restrictions` that an example is found for."""
    path = _PATHS[key_type]
    url = f"{gate_url}{path}{'' if path.endswith('?') else '&'}api_key={key_text}"
    site = next(filter(None, map(example_site, restrictions)), None)
    return shlex.join(["curl", url] if site is None else ["curl", "--referer", site, url])


def example_site(text: str) -> str | None:
    """The URL of a page that the pattern `text` lets pass; None for an IP range, and where none is found."""
    try:
        pattern = parse_entry(text)
    except RestrictionError:
        return None
    if not isinstance(pattern, UrlPattern):
        return None
    scheme, host, port, path = pattern.parts
    scheme = "https" if scheme in ("http*", "*") else scheme
    host = _ANY_HOST if host == "*" else "www" + host[1:] if host.startswith("*.") else host
    port = "" if port in ("", "*") else f":{port}"
    url = f"{scheme}://{host.replace('*', 'a')}{port}{path.replace('*', '')}"
    origin = parse_url(url)
    return url if origin is not None and pattern.matches(origin) else None
