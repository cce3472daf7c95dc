"""One request's road: identify the key, decide, count, answer. Every step is one method, in that order."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from gate import replies
from gate.counting import Counter
from gate.decide import refusal
from gate.facts import BadRequest, Facts, Ip, Networks, read_facts
from gate.replies import Reply
from gate.sandbox import sandbox_answer
from gate.snapshot import KeySnapshot, ServiceFacts
from gate.snapshots import Decision, Entry, Snapshots, SourceUnavailable
from gate.specs import Verdict, is_told_limits
from gate.use import Use
from keys.key_text import KeyShape, shape_of
from keys.origins import origin_text, request_origin
from stats.events import encode_origin, join_caller
from stats.outcomes import Outcome

logger = logging.getLogger(__name__)

HEALTH_PATH = b"/_gate/healthz"

Send = Callable[[Reply], None]


@dataclass(slots=True)
class Request:
    """A request on its way through the gate. `send` takes its one answer."""

    id: bytes
    headers: dict[bytes, bytes]
    facts: Facts
    service: ServiceFacts | None
    send: Send

    def answer(self, reply: Reply) -> None:
        """Sends it to the caller, or to the proxy that asks for one."""
        self.send(replies.for_proxy(reply) if self.facts.is_forwarded else reply)


@dataclass(slots=True)
class Gate:
    """What all connections of a process share."""

    snapshots: Snapshots
    counter: Counter
    digest: Callable[[str], str]
    trusted: Networks
    public_url: str
    is_store_ready: Callable[[], bool]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def handle(
        self, method: str, target: bytes, headers: dict[bytes, bytes], peer: Ip, request_id: bytes, send: Send
    ) -> None:
        """Takes a request in; `send` is called once, now or later."""
        if target == HEALTH_PATH:
            send(self._health())
            return
        try:
            facts = read_facts(method=method, target=target, headers=headers, peer=peer, trusted=self.trusted)
        except BadRequest as error:
            send(replies.error_reply(400, "BAD_REQUEST", str(error), request_id))
            return
        service = self.snapshots.catalogue.find(facts.path)
        request = Request(request_id, headers, facts, service, send)
        if facts.method == "GET" or facts.method == "HEAD":
            self._identify(request)
        elif facts.method == "OPTIONS":
            # A browser asks before it sends the key; this is no use of an API.
            send(Reply(200 if facts.is_forwarded else 204, b"", headers=replies.PREFLIGHT))
        else:
            message, allow = "Only GET requests are served here.", b"Allow: GET, HEAD, OPTIONS\r\n"
            request.answer(replies.error_reply(405, "METHOD_NOT_ALLOWED", message, request_id, allow))

    async def drained(self) -> None:
        """Returns when every request taken in has been answered."""
        while self._tasks or self.counter.is_busy:
            await asyncio.sleep(0.005)

    def _health(self) -> Reply:
        is_ready = self.is_store_ready()
        return Reply(200 if is_ready else 503, b'{"status": "%s"}' % (b"ok" if is_ready else b"store unavailable"))

    def _identify(self, request: Request) -> None:
        text = request.facts.key_text
        if not text:
            self._refuse(request, Outcome.SERVICE_UNKNOWN if request.service is None else Outcome.KEY_MISSING)
            return
        digest = self.digest(text)
        entry = self.snapshots.known(digest)
        if entry is not None:
            self._decide(request, entry)
        elif shape_of(text) is KeyShape.MISTYPED:
            self._refuse(request, Outcome.KEY_UNKNOWN)
        else:
            self._start(request, self._ask(request, digest))

    def _start(self, request: Request, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._guarded(request, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, request: Request, work: Coroutine[None, None, None]) -> None:
        """A fault of ours is logged, and its caller is answered instead of left waiting."""
        try:
            await work
        except Exception:
            logger.exception("request_failed", extra={"request_id": request.id.decode()})
            request.answer(replies.error_reply(500, "INTERNAL", "Something went wrong on our side.", request.id))

    async def _ask(self, request: Request, digest: str) -> None:
        try:
            entry = await self.snapshots.ask(digest)
        except SourceUnavailable:
            self._refuse(request, Outcome.UNAVAILABLE)
            return
        self._decide(request, entry)

    def _decide(self, request: Request, entry: Entry) -> None:
        key, service, headers = entry.key, request.service, request.headers
        if key is None:
            self._refuse(request, Outcome.KEY_UNKNOWN)
            return
        address = request.facts.caller.text if key.restrictions.ip_ranges else None
        place = (0 if service is None else service.id, headers.get(b"referer"), headers.get(b"origin"), address)
        decision = entry.decisions.get(place)
        if decision is None:
            decision = self._decide_anew(request, entry, key)
            # What the clock can change is decided every time.
            if key.expires_at_us is None:
                entry.remember(place, decision)
        self._count(request, *decision)

    def _decide_anew(self, request: Request, entry: Entry, key: KeySnapshot) -> Decision:
        origin = request_origin(_text(request.headers.get(b"referer")), _text(request.headers.get(b"origin")))
        now_us = int(time.time() * 1_000_000)
        refused = refusal(key, request.service, origin, request.facts.caller.ip, now_us)
        recorded = b"" if origin is None else encode_origin(origin_text(origin))
        return entry.use(key, request.service, refused), recorded

    def _count(self, request: Request, use: Use, origin: bytes) -> None:
        """Everything known to belong to an account is recorded, refusals included, before it is answered."""
        caller = request.facts.caller.text
        event = use.event_head + join_caller(caller, origin, request.id)
        self.counter.count(
            use.key.account_id, use.spec, caller, event, lambda verdict: self._answer(request, use, verdict)
        )

    def _answer(self, request: Request, use: Use, verdict: Verdict | None) -> None:
        if verdict is None:
            # What memory alone refuses is refused whether or not it could be recorded.
            self._refuse(request, use.refused or Outcome.UNAVAILABLE)
            return
        headers = b""
        if is_told_limits(verdict.outcome):
            headers = use.policy + replies.limit_header(verdict, use.window_s, self.counter.calendar)
        if verdict.outcome is Outcome.ALLOWED:
            self._allow(request, use, headers)
            return
        request.answer(
            replies.refusal_reply(
                verdict.outcome,
                request_id=request.id,
                key=use.key,
                service=use.service,
                headers=headers,
                retry_after_s=replies.retry_after_s(verdict, self.counter.calendar),
            )
        )

    def _allow(self, request: Request, use: Use, headers: bytes) -> None:
        if request.facts.is_forwarded:
            request.send(Reply(200, b"", headers=use.identity + headers))
            return
        self._start(request, self._answer_from_sandbox(request, headers))

    async def _answer_from_sandbox(self, request: Request, headers: bytes) -> None:
        """In a thread: a map tile that is drawn for the first time would keep everyone else waiting."""
        answer = await asyncio.to_thread(
            sandbox_answer,
            path=request.facts.path,
            query=request.facts.query.decode("latin-1"),
            base_url=self._base_url(request),
        )
        if answer.status >= 400:
            refused = json.loads(answer.body)
            request.send(replies.error_reply(answer.status, refused["code"], refused["message"], request.id, headers))
            return
        request.send(Reply(answer.status, answer.body, answer.content_type.encode(), headers))

    def _base_url(self, request: Request) -> str:
        """Where the caller reached us, for the URLs inside a style; our public URL where it does not say."""
        host = request.headers.get(b"host", b"")
        if not host or not all(byte in _HOST_BYTES for byte in host):
            return self.public_url
        return f"{self.public_url.partition('://')[0]}://{host.decode()}"

    def _refuse(self, request: Request, outcome: Outcome) -> None:
        retry_after_s = 1 if outcome is Outcome.UNAVAILABLE else None
        request.answer(
            replies.refusal_reply(outcome, request_id=request.id, service=request.service, retry_after_s=retry_after_s)
        )


_HOST_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-[]_")


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
