"""Remembers request heads, so that one that came before need not be parsed again. Pure.

Callers and proxies send the same headers again and again; from one request to the next only the target differs.
A packet is cut into its target and the rest; where the very same rest was once read by the HTTP parser as one
whole request without a body, the request is that head with this target, and nothing else can be read from it.
"""

from __future__ import annotations

import re

from gate.facts import FORWARD_AUTH_PATH, REPEATED, Headers

MAX_HEADS = 16_384
MAX_REST_BYTES = 2_048

_QUESTION = b"GET " + FORWARD_AUTH_PATH + b" HTTP/1.1\r\n"
# As proxies write them; in other letters they are read by the parser.
_URI_HEADERS = (b"\r\nX-Original-URI: ", b"\r\nX-Forwarded-Uri: ")
# What the parser takes for a target and gives back as it is.
_TARGET = re.compile(rb"/[!-~]*")
# With these the end of the head may not be the end of the request, or the connection not be what it was.
FRAMING = frozenset((b"content-length", b"transfer-encoding", b"upgrade", b"connection", b"expect"))
_ORIGINAL_URIS = frozenset((b"x-original-uri", b"x-forwarded-uri"))


class Head:
    """A request but for its target. `is_question`: a proxy asks about it, and the headers are its original's."""

    __slots__ = ("forwarded_for", "headers", "is_question", "method", "origin", "referer")

    def __init__(self, method: str, headers: Headers, *, is_question: bool) -> None:
        self.method = method
        self.headers = headers
        self.is_question = is_question
        self.origin = headers.get(b"origin")
        self.referer = headers.get(b"referer")
        self.forwarded_for = headers.get(b"x-forwarded-for")


def cut(packet: bytes) -> tuple[bytes, bytes]:
    """The target in a packet that may be one whole request, and the packet without it; empty where it is not."""
    if packet.startswith(_QUESTION):
        for name in _URI_HEADERS:
            at = packet.find(name)
            if at > 0:
                start = at + len(name)
                end = packet.find(b"\r\n", start)
                return packet[start:end], packet[:start] + packet[end:]
        return b"", b""
    if packet.startswith(b"GET /"):
        end = packet.find(b" ", 4)
        return packet[4:end], packet[end:]
    return b"", b""


class Heads:
    """The heads of one process, by the rest of the packets that they came in."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def __len__(self) -> int:
        return len(self._known)

    def known(self, target: bytes, rest: bytes) -> Head | None:
        """The head that this rest is known to be, where the target is one that the parser would take."""
        head = self._known.get(rest)
        return head if head is not None and _TARGET.fullmatch(target) else None

    def keep(self, target: bytes, rest: bytes, head: Head) -> None:
        """Keeps what the parser read of a packet that was one request; forgets all when there are too many."""
        is_whole = rest.find(b"\r\n\r\n") == len(rest) - 4
        if not is_whole or len(rest) > MAX_REST_BYTES or not _TARGET.fullmatch(target) or not _is_plain(head.headers):
            return
        if len(self._known) >= MAX_HEADS:
            self._known.clear()
        headers = {name: value for name, value in head.headers.items() if name not in _ORIGINAL_URIS}
        self._known[rest] = Head(head.method, headers, is_question=head.is_question)


def _is_plain(headers: Headers) -> bool:
    """Whether it is the head of a request without a body, on a connection that goes on."""
    framing = {name for name in headers if name in FRAMING}
    is_kept_alive = framing <= {b"connection"} and headers.get(b"connection", b"keep-alive").lower() == b"keep-alive"
    return is_kept_alive and REPEATED not in headers
