"""One request on its way through the gate, and the place of its answer among those of its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gate.facts import Caller
from gate.heads import Head
from gate.replies import Reply, encode_reply, for_proxy

if TYPE_CHECKING:
    from gate.snapshot import ServiceFacts
    from gate.use import Use


class Connection(Protocol):
    """What takes the answers and sends them in the order of their requests."""

    def answered(self) -> None: ...


class Exchange:
    """A request, filled in step by step as it is read, identified and decided; answered once.

    `path`, `query`, `referer` and `origin` are those of the API request, whichever way it reached the gate.
    """

    __slots__ = (
        "answer",
        "caller",
        "connection",
        "forwarded_for",
        "head",
        "id",
        "is_last",
        "origin",
        "path",
        "query",
        "referer",
        "service",
        "use",
    )

    path: str
    query: bytes
    service: ServiceFacts | None
    use: Use

    def __init__(
        self,
        connection: Connection,
        request_id: bytes,
        head: Head,
        caller: Caller,
        forwarded_for: bytes | None,
        referer: bytes | None,
        origin: bytes | None,
        is_last: bool,
    ) -> None:
        self.connection = connection
        self.id = request_id
        self.head = head
        self.caller = caller
        self.forwarded_for = forwarded_for
        self.referer = referer
        self.origin = origin
        self.is_last = is_last
        self.answer: bytes | None = None

    def send(self, reply: Reply) -> None:
        """Sends it to the caller, or to the proxy that asks for one."""
        if self.head.is_question:
            reply = for_proxy(reply)
        self.send_bytes(
            encode_reply(reply, request_id=self.id, is_head=self.head.method == "HEAD", closes=self.is_last)
        )

    def send_bytes(self, answer: bytes) -> None:
        """Sends an answer that is ready for the wire."""
        self.answer = answer
        self.connection.answered()
