"""One request's road: identify the key, decide, count, answer. Every step is one method, in that order."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network, IPv6Network

from gate import replies
from gate.counting import Counter
from gate.decide import refusal
from gate.facts import BadRequest, Facts, Ip, read_facts
from gate.replies import Reply
from gate.sandbox import sandbox_answer
from gate.snapshot import KeySnapshot, ServiceFacts
from gate.snapshots import Entry, Snapshots, SourceUnavailable
from gate.specs import Kind, Verdict, is_told_limits, kind_of, pack_spec
from keys.key_text import KeyShape, shape_of
from keys.origins import Origin, origin_text, request_origin
from stats.events import encode_caller, encode_request
from stats.outcomes import Outcome

logger = logging.getLogger(__name__)

HEALTH_PATH = b"/_gate/healthz"

Send = Callable[[Reply], None]


@dataclass(slots=True)
class Request:
    """A request on its way through the gate. `send` takes its one answer."""

    id: str
    headers: dict[bytes, bytes]
    facts: Facts
    service: ServiceFacts | None
    send: Send


@dataclass(slots=True)
class Gate:
    """What all connections of a process share."""

    snapshots: Snapshots
    counter: Counter
    digest: Callable[[str], str]
    trusted: Sequence[IPv4Network | IPv6Network]
    public_url: str
    is_store_ready: Callable[[], bool]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def handle(
        self, method: str, target: bytes, headers: dict[bytes, bytes], peer: Ip, request_id: str, send: Send
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
        if facts.is_forwarded:
            send = partial(_send_to_proxy, send)
        if facts.method == "OPTIONS":
            # A browser asks before it sends the key; this is no use of an API.
            send(Reply(200 if facts.is_forwarded else 204, b"", headers=replies.PREFLIGHT))
        elif facts.method not in ("GET", "HEAD"):
            message = "Only GET requests are served here."
            send(replies.error_reply(405, "METHOD_NOT_ALLOWED", message, request_id, b"Allow: GET, HEAD, OPTIONS\r\n"))
        else:
            service = self.snapshots.catalogue.find(facts.path)
            self._identify(Request(request_id, headers, facts, service, send))

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
        if shape_of(text) is KeyShape.MISTYPED:
            self._refuse(request, Outcome.KEY_UNKNOWN)
            return
        digest = self.digest(text)
        entry = self.snapshots.known(digest)
        if entry is not None:
            self._decide(request, entry)
            return
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
            logger.exception("request_failed", extra={"request_id": request.id})
            request.send(replies.error_reply(500, "INTERNAL", "Something went wrong on our side.", request.id))

    async def _ask(self, request: Request, digest: str) -> None:
        try:
            entry = await self.snapshots.ask(digest)
        except SourceUnavailable:
            self._refuse(request, Outcome.UNAVAILABLE)
            return
        self._decide(request, entry)

    def _decide(self, request: Request, entry: Entry) -> None:
        if entry.key is None:
            self._refuse(request, Outcome.KEY_UNKNOWN)
            return
        referer, origin_header = request.headers.get(b"referer"), request.headers.get(b"origin")
        origin = request_origin(_text(referer), _text(origin_header))
        now_us = int(time.time() * 1_000_000)
        refused = refusal(entry.key, request.service, origin, request.facts.ip, now_us)
        self._count(request, entry, entry.key, refused, origin)

    def _count(
        self, request: Request, entry: Entry, key: KeySnapshot, refused: Outcome | None, origin: Origin | None
    ) -> None:
        """Everything known to belong to an account is recorded, refusals included, before it is answered."""
        service = request.service
        combination = (None if service is None else service.id, refused)
        spec = entry.specs.get(combination)
        if spec is None:
            spec = entry.specs[combination] = pack_spec(key, service, refused)
        ip = str(request.facts.ip)
        event = encode_request(
            account_id=key.account_id,
            key_id=key.key_id,
            service_id=0 if service is None else service.id,
            units=0 if service is None else service.units,
            price_micro_usd=0 if service is None else key.prices.get(service.id, 0),
        ) + encode_caller(ip=ip, origin="" if origin is None else origin_text(origin), request_id=request.id)
        self.counter.count(
            key.account_id,
            spec,
            ip.encode(),
            event,
            lambda verdict: self._answer(request, entry, key, refused, verdict),
        )

    def _answer(
        self, request: Request, entry: Entry, key: KeySnapshot, refused: Outcome | None, verdict: Verdict | None
    ) -> None:
        if verdict is None:
            # What memory alone refuses is refused whether or not it could be recorded.
            self._refuse(request, refused or Outcome.UNAVAILABLE)
            return
        headers = self._limit_headers(request.service, entry, key, verdict)
        if verdict.outcome is Outcome.ALLOWED:
            self._allow(request, key, headers)
            return
        request.send(
            replies.refusal_reply(
                verdict.outcome,
                request_id=request.id,
                key=key,
                service=request.service,
                headers=headers,
                retry_after_s=replies.retry_after_s(verdict, self.counter.calendar),
            )
        )

    def _limit_headers(self, service: ServiceFacts | None, entry: Entry, key: KeySnapshot, verdict: Verdict) -> bytes:
        if not is_told_limits(verdict.outcome):
            return b""
        policy = entry.policies.get(service)
        if policy is None:
            policy = entry.policies[service] = replies.policy_header(key, service)
        window_s = 1 if kind_of(service) is Kind.MAP_PART else key.rate_window_s
        return policy + replies.limit_header(verdict, window_s, self.counter.calendar)

    def _allow(self, request: Request, key: KeySnapshot, headers: bytes) -> None:
        facts = request.facts
        if facts.is_forwarded:
            whose = b"X-Account-Id: %d\r\nX-Key-Id: %d\r\n" % (key.account_id, key.key_id)
            request.send(Reply(200, b"", headers=whose + headers))
            return
        self._start(request, self._answer_from_sandbox(request, headers))

    async def _answer_from_sandbox(self, request: Request, headers: bytes) -> None:
        """In a thread: a map tile that is drawn for the first time would keep everyone else waiting."""
        answer = await asyncio.to_thread(
            sandbox_answer,
            path=request.facts.path,
            query=request.facts.query,
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
        reply = replies.refusal_reply(
            outcome, request_id=request.id, service=request.service, retry_after_s=retry_after_s
        )
        request.send(reply)


_HOST_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-[]_")


def _send_to_proxy(send: Send, reply: Reply) -> None:
    send(replies.for_proxy(reply))


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
