"""What a request says about the page it came from: its `Referer` and `Origin`, parsed and weighed.

Headers are hostile: nothing here raises, every step is linear in the length of the header, and what
no browser would send (user names, backslashes, spaces, control characters) is refused, never guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from string import ascii_letters, digits

from keys.hosts import host_normalised

MAX_URL = 8192

# The schemes that have a default port (WHATWG URL, "special scheme"); the port of any other is 0.
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}

_NEVER_SENT = re.compile(r"[\x00-\x20\x7f]")
_URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*)://"  # scheme
    r"(\[[0-9A-Fa-f:.]*\]|[^\[\]:/?#@\\]+)"  # host: no "@", so no user name passes for one
    r"(?::([0-9]{0,5}))?"  # port
    r"(/[^?#\\]*)?"  # path
    r"(?:[?#].*)?",  # query and fragment, neither ever looked at
    re.DOTALL,
)
_PLAIN_PATH = re.compile(r"[!$&-;=@-Z_a-z~]*")
_KEPT = f"{ascii_letters}{digits}-._~/%!$&'()*+,;=:@[]|"
_ESCAPED_BYTES = {byte: f"%{byte:02X}" for byte in range(256) if chr(byte) not in _KEPT}
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from.

    `host` is in normal form (see `keys.hosts`), `port` the explicit or default one (0: the scheme has
    none), `path` begins with "/" and carries neither query nor fragment.
    """

    scheme: str
    host: str
    port: int
    path: str

    def is_same_origin(self, other: Origin) -> bool:
        return self.host == other.host and self.scheme == other.scheme and self.port == other.port


def parse_url(text: str) -> Origin | None:
    """The origin and path that `text` names; None if it is not the absolute URL of a page."""
    if len(text) > MAX_URL or _NEVER_SENT.search(text):
        return None
    match = _URL.fullmatch(text)
    if match is None:
        return None
    scheme, host_text, port_text, path = match.groups()
    scheme = scheme.lower()
    host = host_normalised(host_text)
    port = int(port_text) if port_text else default_port(scheme)
    if host is None or port > 65535 or (port_text and port == 0):
        return None
    return Origin(scheme, host, port, path_normalised(path) if path else "/")


def request_origin(referer: str | None, origin: str | None) -> Origin | None:
    """The origin of a request with these headers; None if it has none.

    It is the `Referer`; where that is missing or is of another origin than `Origin`, it is `Origin`.
    A `Referer` that cannot be read counts as missing. An `Origin` that cannot be read (`null` among them)
    is one that differs: it never falls back to the `Referer`.
    """
    page = parse_url(referer) if referer else None
    if not origin:
        return page
    stated = parse_url(origin)
    if stated is None:
        return None
    if page is not None and page.is_same_origin(stated):
        return page
    return stated if stated.path == "/" else replace(stated, path="/")


def origin_text(origin: Origin) -> str:
    """`scheme://host[:port]`, without the port where it is the scheme's default."""
    port = "" if origin.port == default_port(origin.scheme) else f":{origin.port}"
    return f"{origin.scheme}://{origin.host}{port}"


def default_port(scheme: str) -> int:
    """The port of a URL that names none; 0 where the scheme has no default."""
    return DEFAULT_PORTS.get(scheme, 0)


def path_normalised(path: str) -> str:
    """`path` as a browser would send it: escapes in capitals, dot segments resolved, the rest escaped.

    Escapes are never decoded: `%2F` is no "/".
    """
    if not _PLAIN_PATH.fullmatch(path):
        # One character for each byte of the UTF-8 form, so that one fast pass can escape them.
        escaped = path.encode(errors="replace").decode("latin-1").translate(_ESCAPED_BYTES)
        path = _ESCAPES.sub(lambda escapes: escapes[0].upper(), escaped)
    return _dots_resolved(path) if has_dot_segment(path) else path


def has_dot_segment(path: str) -> bool:
    """Whether `path`, its escapes in capitals, has a segment "." or "..", escaped or not."""
    if "/." not in path and "/%2E" not in path:
        return False
    return any(_undotted(segment) in (".", "..") for segment in path.split("/"))


def _undotted(segment: str) -> str:
    return segment.replace("%2E", ".")


def _dots_resolved(path: str) -> str:
    """Dot segments taken out, as in the "path state" of the WHATWG URL standard."""
    kept: list[str] = []
    for segment in (segments := path.split("/")[1:]):
        name = _undotted(segment)
        if name == "..":
            del kept[-1:]
        elif name != ".":
            kept.append(segment)
    if _undotted(segments[-1]) in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
