"""Remembers request heads, so that one that came before need not be parsed again. Pure.

Callers and proxies send the same headers again and again; from one request to the next only the target, the caller
and the page differ. A packet is cut into these and the rest; where the very same rest was once read by the HTTP
parser as one whole request without a body, and the parser found in it just what was cut out, the request is that
head with these values, and nothing else can be read from it.
"""

from __future__ import annotations

import re

from gate.facts import FORWARD_AUTH_PATH, REPEATED, Headers

MAX_HEADS = 16_384
MAX_REST_BYTES, MAX_PACKET_BYTES = 2_048, 4_096

_OWN = b"GET /_gate/"
_QUESTION = b"GET " + FORWARD_AUTH_PATH + b" HTTP/1.1\r\n"
# As proxies and browsers write them; in other letters they are parts of the rest.
_URI_HEADERS = (b"\r\nX-Original-URI: ", b"\r\nX-Forwarded-Uri: ")
_FORWARDED_FOR, _REFERER, _ORIGIN = b"\r\nX-Forwarded-For: ", b"\r\nReferer: ", b"\r\nOrigin: "
# What the parser takes for a target, and for a value, and gives back as it is.
_TARGET = re.compile(rb"/[!-~]*")
_VALUE = re.compile(rb"[!-~](?:[ -~]*[!-~])?")
# With these the end of the head may not be the end of the request, or the connection not be what it was.
FRAMING = frozenset((b"content-length", b"transfer-encoding", b"upgrade", b"connection", b"expect"))


class Head:
    """What is the same for many requests. `is_question`: a proxy asks about them, and the headers are its original's.

    The headers that differ are here only where they are written in an unusual way.
    """

    __slots__ = ("forwarded_for", "host", "is_question", "method", "origin", "referer")

    def __init__(self, method: str, headers: Headers, *, is_question: bool) -> None:
        self.method = method
        self.is_question = is_question
        self.host = headers.get(b"host")
        self.origin = headers.get(b"origin")
        self.referer = headers.get(b"referer")
        self.forwarded_for = headers.get(b"x-forwarded-for")


# A packet that may be one whole request: its target, `X-Forwarded-For`, `Referer` and `Origin` (None: not there),
# and the rest. A plain tuple, as one is made for every request.
Cut = tuple[bytes, bytes | None, bytes | None, bytes | None, bytes]
NO_CUT: Cut = (b"", None, None, None, b"")


def cut(packet: bytes) -> Cut:
    """The packet in parts; NO_CUT where it cannot be a request of a remembered kind."""
    if len(packet) > MAX_PACKET_BYTES:
        return NO_CUT
    if packet.startswith(_QUESTION):
        target, rest = _without(packet, _URI_HEADERS[0])
        if target is None:
            target, rest = _without(packet, _URI_HEADERS[1])
        if target is None:
            return NO_CUT
    # Other questions, such as Envoy's, are told from requests by their targets.
    elif packet.startswith(b"GET /") and not packet.startswith(_OWN):
        end = packet.find(b" ", 4)
        target, rest = packet[4:end], packet[end:]
    else:
        return NO_CUT
    forwarded_for = referer = origin = None
    if _FORWARDED_FOR in rest:
        forwarded_for, rest = _without(rest, _FORWARDED_FOR)
    if _REFERER in rest:
        referer, rest = _without(rest, _REFERER)
    if _ORIGIN in rest:
        origin, rest = _without(rest, _ORIGIN)
    return target, forwarded_for, referer, origin, rest


def _without(data: bytes, name: bytes) -> tuple[bytes | None, bytes]:
    """The value of a header, and the data without the value."""
    before, found, after = data.partition(name)
    if not found:
        return None, data
    value, _, after = after.partition(b"\r\n")
    return value, b"%b%b\r\n%b" % (before, name, after)


class Heads:
    """The heads of one process, by the rest of the packets that they came in."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def __len__(self) -> int:
        return len(self._known)

    def known(self, parts: Cut) -> Head | None:
        """The head that this rest is known to be, where what was cut out is what the parser would take."""
        head = self._known.get(parts[4])
        return head if head is not None and _is_taken(parts) else None

    def keep(self, parts: Cut, target: bytes, headers: Headers, head: Head) -> None:
        """Keeps what the parser read of a packet that was one request; forgets all when there are too many."""
        its_target, *_, rest = parts
        is_whole = rest.find(b"\r\n\r\n") == len(rest) - 4
        if not is_whole or len(rest) > MAX_REST_BYTES or not _is_taken(parts) or target != its_target:
            return
        if not _is_plain(headers) or not _are_found(parts, headers):
            return
        if len(self._known) >= MAX_HEADS:
            self._known.clear()
        in_rest = {name: value for name, value in headers.items() if name not in _cut_out(parts)}
        self._known[rest] = Head(head.method, in_rest, is_question=head.is_question)


def _is_taken(parts: Cut) -> bool:
    target, forwarded_for, referer, origin, _ = parts
    return (
        _TARGET.fullmatch(target) is not None
        and (forwarded_for is None or _VALUE.fullmatch(forwarded_for) is not None)
        and (referer is None or _VALUE.fullmatch(referer) is not None)
        and (origin is None or _VALUE.fullmatch(origin) is not None)
    )


def _are_found(parts: Cut, headers: Headers) -> bool:
    """Whether the parser read the very values that were cut out."""
    return all(headers.get(name) == value for name, value in _cut_out(parts).items())


def _cut_out(parts: Cut) -> dict[bytes, bytes]:
    """The headers that were cut out, but for the target's."""
    named = zip((b"x-forwarded-for", b"referer", b"origin"), parts[1:4], strict=True)
    return {name: value for name, value in named if value is not None}


def _is_plain(headers: Headers) -> bool:
    """Whether it is the head of a request without a body, on a connection that goes on."""
    framing = {name for name in headers if name in FRAMING}
    is_kept_alive = framing <= {b"connection"} and headers.get(b"connection", b"keep-alive").lower() == b"keep-alive"
    return is_kept_alive and REPEATED not in headers
