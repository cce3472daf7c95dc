"""What the gate must know of a request, read from its path, query and headers. Pure."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from keys.ip_ranges import ip_in_ranges

FORWARD_AUTH_PATH = b"/_gate/auth"
KEY_MAX_LENGTH = 200
# Among the headers where one came twice that must come once.
REPEATED = b":repeated"
_FAMILIES = ((b"x-original-uri", b"x-original-method"), (b"x-forwarded-uri", b"x-forwarded-method"))
MAX_REMEMBERED = 256

Ip = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]


class Caller(NamedTuple):
    """Whose request it is: the address, and its text as it is counted and recorded."""

    ip: Ip
    text: bytes


class Facts(NamedTuple):
    """A request to an API, as its caller sent it, whichever way it reached the gate.

    A named tuple, as one is made for every request: a frozen dataclass takes four times as long.
    """

    method: str
    path: str
    query: bytes
    key_text: str
    caller: Caller
    is_forwarded: bool


class BadRequest(ValueError):
    """A request that names no API request at all; `args[0]` is a sentence for the caller."""


def read_facts(
    *,
    method: str,
    target: bytes,
    headers: dict[bytes, bytes],
    peer: Ip,
    trusted: Networks,
) -> Facts:
    """The facts of a direct request, or of the original request that a proxy asks about. Raises BadRequest."""
    is_forwarded = target.startswith(FORWARD_AUTH_PATH) and target[len(FORWARD_AUTH_PATH) :][:1] in (b"", b"?", b"/")
    if is_forwarded:
        method, target = original_request(method, target, headers)
    raw_path, _, query = origin_form(target).partition(b"?")
    path = raw_path.decode("latin-1")
    return Facts(
        method,
        unquote(path, errors="replace") if "%" in path else path,
        query,
        key_text(query),
        caller(peer, headers.get(b"x-forwarded-for", b""), trusted),
        is_forwarded,
    )


def original_request(method: str, target: bytes, headers: dict[bytes, bytes]) -> tuple[str, bytes]:
    """Method and target of the request that a proxy asks about. Raises BadRequest.

    Envoy puts the original path behind ours. The others name it in X-Original-* (nginx) or in X-Forwarded-*
    (Caddy, Traefik). A proxy sets one family and hands on what the caller sent of the other, so that a request
    with both is refused: believing either would let the caller choose what is counted.
    """
    if target[len(FORWARD_AUTH_PATH) :].startswith(b"/"):
        return method, target[len(FORWARD_AUTH_PATH) :]
    given = [family for family in _FAMILIES if any(name in headers for name in family)]
    if len(given) != 1 or given[0][0] not in headers:
        raise BadRequest("Send the original request's URI in X-Original-URI or X-Forwarded-Uri, and not in both.")
    uri_name, method_name = given[0]
    if REPEATED in headers:
        raise BadRequest("Send the original request's URI and method once.")
    return headers.get(method_name, b"GET").decode("latin-1").upper(), headers[uri_name]


def origin_form(target: bytes) -> bytes:
    """`/path?query` of a request target that may be a whole URL, its fragment left out."""
    if b"#" in target:
        target = target.partition(b"#")[0]
    if target.startswith((b"http://", b"https://")):
        _, slash, rest = target.partition(b"://")[2].partition(b"/")
        target = slash + rest or b"/"
    return target


def key_text(query: bytes) -> str:
    """The value of `api_key`, the first where there are several; empty where there is none or it is absurd."""
    for pair in query.split(b"&"):
        if pair.startswith(b"api_key="):
            value = pair[8:]
            if b"%" in value or b"+" in value:
                value = unquote_to_bytes(value.replace(b"+", b" "))
            text = value.decode("utf-8", errors="replace")
            return text if len(text) <= KEY_MAX_LENGTH else text[:KEY_MAX_LENGTH]
    return ""


def caller(peer: Ip, forwarded_for: bytes, trusted: Networks) -> Caller:
    """Who asks. Remembered, as the same callers come again and again, unless the header is too long to keep."""
    read = _caller_again if len(forwarded_for) <= MAX_REMEMBERED else _caller
    return read(peer, forwarded_for, trusted)


def _caller(peer: Ip, forwarded_for: bytes, trusted: Networks) -> Caller:
    ip = caller_ip(peer, forwarded_for, trusted)
    return Caller(ip, str(ip).partition("%")[0].encode())


_caller_again = lru_cache(maxsize=16_384)(_caller)


def caller_ip(peer: Ip, forwarded_for: bytes, trusted: Networks) -> Ip:
    """The address nearest to us that is not one of our own proxies; what it claims beyond is not believed.

    `X-Forwarded-For` is read from the right, and only as far as trusted proxies wrote it.
    """
    ip = _unmapped(peer)
    if not trusted or not forwarded_for:
        return ip
    for hop in reversed(forwarded_for.split(b",")):
        if not ip_in_ranges(ip, trusted):
            return ip
        if b"%" in hop:
            # A zone means something on the proxy's machine only.
            return ip
        try:
            ip = _unmapped(ip_address(_without_port(hop.decode("latin-1").strip())))
        except ValueError:
            return ip
    return ip


def _unmapped(ip: Ip) -> Ip:
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
