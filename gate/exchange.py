"""One request on its way through the gate, and the place of its answer among those of its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gate.facts import Caller, Headers
from gate.replies import Reply, encode_reply, for_proxy

if TYPE_CHECKING:
    from gate.snapshot import ServiceFacts
    from gate.use import Use


class Connection(Protocol):
    """What takes the answers and sends them in the order of their requests."""

    def answered(self) -> None: ...


class Exchange:
    """A request, filled in step by step as it is read, identified and decided; answered once.

    `target` is that of the API request, whichever way it reached the gate; `is_question`: a proxy asks about it.
    """

    __slots__ = (
        "answer",
        "caller",
        "connection",
        "headers",
        "id",
        "is_last",
        "is_question",
        "method",
        "path",
        "query",
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
        method: str,
        headers: Headers,
        caller: Caller,
        is_question: bool,
        is_last: bool,
    ) -> None:
        self.connection = connection
        self.id = request_id
        self.method = method
        self.headers = headers
        self.caller = caller
        self.is_question = is_question
        self.is_last = is_last
        self.answer: bytes | None = None

    def send(self, reply: Reply) -> None:
        """Sends it to the caller, or to the proxy that asks for one."""
        if self.is_question:
            reply = for_proxy(reply)
        self.send_bytes(encode_reply(reply, request_id=self.id, is_head=self.method == "HEAD", closes=self.is_last))

    def send_bytes(self, answer: bytes) -> None:
        """Sends an answer that is ready for the wire."""
        self.answer = answer
        self.connection.answered()
