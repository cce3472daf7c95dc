"""What the gate must know of a request, read from its target and headers. Pure."""

from __future__ import annotations

from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from keys.ip_ranges import ip_in_ranges

FORWARD_AUTH_PATH = b"/_gate/auth"
KEY_MAX_LENGTH = 200
# Among the headers where one came twice that must come once.
REPEATED = b":repeated"
MAX_CALLERS = 16_384
MAX_REMEMBERED = 256

_FAMILIES = ((b"x-original-uri", b"x-original-method"), (b"x-forwarded-uri", b"x-forwarded-method"))

Ip = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]
Headers = dict[bytes, bytes]


class BadRequest(ValueError):
    """A request that names no API request at all; `args[0]` is a sentence for the caller."""


def is_question(target: bytes) -> bool:
    """Whether a proxy asks about another request."""
    return target.startswith(FORWARD_AUTH_PATH) and target[len(FORWARD_AUTH_PATH) :][:1] in (b"", b"?", b"/")


def original_request(method: str, target: bytes, headers: Headers) -> tuple[str, bytes]:
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


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """Path and query of a request target that may be a whole URL, its fragment left out."""
    if b"#" in target:
        target = target.partition(b"#")[0]
    if not target.startswith(b"/") and target.startswith((b"http://", b"https://")):
        _, slash, rest = target.partition(b"://")[2].partition(b"/")
        target = slash + rest or b"/"
    path, _, query = target.partition(b"?")
    return path, query


def parameter(query: bytes, name: bytes) -> bytes:
    """The value of a query parameter, decoded; of the first where there are several, empty where there is none."""
    start = name + b"="
    at = query.find(start)
    if at > 0 and query[at - 1] != 38:  # & — else the name is the end of another, or stands in a value.
        at = query.find(b"&" + start) + 1 or -1
    if at < 0:
        return b""
    end = query.find(b"&", at)
    value = query[at + len(start) : end if end >= 0 else len(query)]
    return unquote_to_bytes(value.replace(b"+", b" ")) if b"%" in value or b"+" in value else value


def key_text(value: bytes) -> str:
    """The key text that the value of `api_key` is, cut where it is absurdly long."""
    return value.decode("utf-8", errors="replace")[:KEY_MAX_LENGTH]


def session_token(query: bytes) -> bytes:
    """What an autocomplete session is known by, always as short; empty where the query names none."""
    value = parameter(query, b"sessiontoken")
    return blake2b(value, digest_size=16).hexdigest().encode() if value else b""


class Caller(NamedTuple):
    """Whose request it is: the address, and its text as it is counted and recorded."""

    ip: Ip
    text: bytes

    @classmethod
    def at(cls, ip: Ip) -> Caller:
        return cls(ip, str(ip).partition("%")[0].encode())


class Peer:
    """Who is at the other end of a connection: a caller, or a proxy of ours that speaks for callers."""

    __slots__ = ("_behind", "_is_proxy", "_trusted", "caller")

    def __init__(self, ip: Ip, trusted: Networks, behind: dict[bytes, Caller]) -> None:
        self.caller = Caller.at(_unmapped(ip))
        self._is_proxy = ip_in_ranges(self.caller.ip, trusted)
        self._trusted = trusted
        self._behind = behind

    def caller_of(self, forwarded_for: bytes | None) -> Caller:
        """Whose request came with this `X-Forwarded-For`."""
        if not self._is_proxy or not forwarded_for:
            return self.caller
        caller = self._behind.get(forwarded_for)
        if caller is None:
            ip = caller_ip(self.caller.ip, forwarded_for, self._trusted)
            caller = self.caller if ip == self.caller.ip else Caller.at(ip)
            # Not kept where it depends on who says it, or is too long to be kept.
            if caller is not self.caller and len(forwarded_for) <= MAX_REMEMBERED:
                if len(self._behind) >= MAX_CALLERS:
                    self._behind.clear()
                self._behind[forwarded_for] = caller
        return caller


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
