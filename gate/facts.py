"""What the gate must know of a request, read from its path, query and headers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote, unquote_to_bytes

from keys.ip_ranges import ip_in_ranges

FORWARD_AUTH_PATH = "/_gate/auth"
KEY_MAX_LENGTH = 200

Ip = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Facts:
    """A request to an API, as its caller sent it, whichever way it reached the gate."""

    method: str
    path: str
    query: str
    key_text: str
    ip: Ip
    is_forwarded: bool


class BadRequest(ValueError):
    """A request that names no API request at all; `args[0]` is a sentence for the caller."""


def read_facts(
    *,
    method: str,
    target: bytes,
    headers: dict[bytes, bytes],
    peer: Ip,
    trusted: Sequence[IPv4Network | IPv6Network],
) -> Facts:
    """The facts of a direct request, or of the original request that a proxy asks about. Raises BadRequest."""
    is_forwarded = target.partition(b"?")[0] == FORWARD_AUTH_PATH.encode()
    if is_forwarded:
        target = headers.get(b"x-original-uri") or headers.get(b"x-forwarded-uri") or b""
        if not target:
            raise BadRequest("Send the original request's URI in X-Original-URI or X-Forwarded-Uri.")
        sent = headers.get(b"x-original-method") or headers.get(b"x-forwarded-method") or b"GET"
        method = sent.decode("latin-1").upper()
    path, _, query = origin_form(target).partition(b"?")
    return Facts(
        method=method,
        path=unquote(path.decode("latin-1"), errors="replace"),
        query=query.decode("latin-1"),
        key_text=key_text(query),
        ip=caller_ip(peer, headers.get(b"x-forwarded-for", b""), trusted),
        is_forwarded=is_forwarded,
    )


def origin_form(target: bytes) -> bytes:
    """`/path?query` of a request target that may be a whole URL, its fragment left out."""
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


def caller_ip(peer: Ip, forwarded_for: bytes, trusted: Sequence[IPv4Network | IPv6Network]) -> Ip:
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
