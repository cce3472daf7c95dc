"""One request's road: identify the key, decide, count, answer. Every step is one method, in that order."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine

from gate import replies
from gate.calendar import Moment
from gate.counting import Answer, Counter
from gate.decide import ruling
from gate.desk import OWN_PATHS, Desk
from gate.elements import n_elements
from gate.exchange import Exchange
from gate.facts import Caller, Ip, Networks, Peer, key_text, parameter, session_token, split_target
from gate.heads import Heads
from gate.metrics import Metrics
from gate.replies import Reply
from gate.sandbox import sandbox_answer
from gate.snapshot import KeySnapshot
from gate.snapshots import Decision, Entry, Snapshots, SourceUnavailable
from gate.specs import Verdict
from gate.use import Use
from keys.key_text import KeyShape, shape_of
from keys.origins import origin_text, request_origin
from stats.events import encode_origin, join_request
from stats.outcomes import OUTCOMES, Outcome

logger = logging.getLogger(__name__)

MAX_DIGESTS = 100_000

_ALLOWED = OUTCOMES[Outcome.ALLOWED].number


class Gate:
    """What all connections of a process share."""

    def __init__(
        self,
        snapshots: Snapshots,
        make_counter: Callable[[Answer], Counter],
        digest: Callable[[str], str],
        trusted: Networks,
        public_url: str,
        desk: Desk,
        metrics: Metrics,
    ) -> None:
        self.snapshots = snapshots
        self.heads = Heads()
        self.metrics = metrics
        self._counter = make_counter(self._answer)
        self._digest = digest
        # By what `api_key` was, of keys that exist: working one out takes as long as all the rest of a look-up.
        self._digests: dict[bytes, str] = {}
        self._trusted = trusted
        self._callers: dict[bytes, Caller] = {}
        self._public_url = public_url
        self._desk = desk
        self._tasks: set[asyncio.Task[None]] = set()

    def peer(self, ip: Ip) -> Peer:
        """Who a connection from this address is with."""
        return Peer(ip, self._trusted, self._callers)

    def handle(self, exchange: Exchange, target: bytes) -> None:
        """Takes a request in; it is answered once, now or later."""
        if target in OWN_PATHS and (reply := self._desk.answer(exchange, target)) is not None:
            exchange.send(reply)
            return
        raw_path, exchange.query = split_target(target)
        exchange.path, exchange.service = self.snapshots.catalogue.find(raw_path)
        if exchange.head.method == "GET" or exchange.head.method == "HEAD":
            self._identify(exchange)
        elif exchange.head.method == "OPTIONS":
            # A browser asks before it sends the key; this is no use of an API.
            exchange.send(Reply(200 if exchange.head.is_question else 204, b"", headers=replies.PREFLIGHT))
        else:
            message, allow = "Only GET requests are served here.", b"Allow: GET, HEAD, OPTIONS\r\n"
            exchange.send(replies.error_reply(405, "METHOD_NOT_ALLOWED", message, exchange.id, allow))

    async def drained(self) -> None:
        """Returns when every request taken in has been answered."""
        while self._tasks or self._counter.is_busy:
            await asyncio.sleep(0.005)

    def _identify(self, exchange: Exchange) -> None:
        value = parameter(exchange.query, b"api_key")
        if not value:
            self._refuse(exchange, Outcome.SERVICE_UNKNOWN if exchange.service is None else Outcome.KEY_MISSING)
            return
        digest = self._digests.get(value)
        if digest is None:
            self._look_up(exchange, value)
        elif (entry := self.snapshots.known(digest)) is not None:
            self.metrics.n_key_hits += 1
            self._decide(exchange, entry)
        else:
            self._start(exchange, self._ask(exchange, value, digest))

    def _look_up(self, exchange: Exchange, value: bytes) -> None:
        text = key_text(value)
        digest = self._digest(text)
        entry = self.snapshots.known(digest)
        if entry is not None:
            self._decide(exchange, entry)
        elif shape_of(text) is KeyShape.MISTYPED:
            self._refuse(exchange, Outcome.KEY_UNKNOWN)
        else:
            self._start(exchange, self._ask(exchange, value, digest))

    def _start(self, exchange: Exchange, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._guarded(exchange, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, exchange: Exchange, work: Coroutine[None, None, None]) -> None:
        """A fault of ours is logged, and its caller is answered instead of left waiting."""
        try:
            await work
        except Exception:
            logger.exception("request_failed", extra={"request_id": exchange.id.decode()})
            exchange.send(replies.error_reply(500, "INTERNAL", "Something went wrong on our side.", exchange.id))

    async def _ask(self, exchange: Exchange, value: bytes, digest: str) -> None:
        self.metrics.n_key_misses += 1
        try:
            entry = await self.snapshots.ask(digest)
        except SourceUnavailable:
            self._refuse(exchange, Outcome.UNAVAILABLE)
            return
        if entry.key is not None:
            if len(self._digests) >= MAX_DIGESTS:
                self._digests.clear()
            self._digests[value] = digest
        self._decide(exchange, entry)

    def _decide(self, exchange: Exchange, entry: Entry) -> None:
        key, service = entry.key, exchange.service
        if key is None:
            self._refuse(exchange, Outcome.KEY_UNKNOWN)
            return
        address = exchange.caller.text if key.restrictions.ip_ranges else None
        place = (0 if service is None else service.id, exchange.referer, exchange.origin, address)
        decision = entry.decisions.get(place)
        if decision is None:
            decision = self._decide_anew(exchange, entry, key)
            # What the clock can change is decided every time.
            if key.expires_at_us is None:
                entry.remember(place, decision)
        self._count(exchange, *decision)

    def _decide_anew(self, exchange: Exchange, entry: Entry, key: KeySnapshot) -> Decision:
        origin = request_origin(_text(exchange.referer), _text(exchange.origin))
        now_us = int(time.time() * 1_000_000)
        ruled = ruling(key, exchange.service, origin, exchange.caller.ip, now_us)
        recorded = b"" if origin is None else encode_origin(origin_text(origin), origin.path)
        return entry.use(key, exchange.service, ruled), recorded

    def _count(self, exchange: Exchange, use: Use, origin: bytes) -> None:
        """Everything known to belong to an account is recorded, refusals included, before it is answered."""
        exchange.use = use
        address = exchange.caller.text
        spec, caller, head = use.spec, use.rate_name + address, use.event_head
        if use.session_spec is not None and (token := session_token(exchange.query)):
            spec, caller = use.session_spec, caller + b"\t" + token
        elif use.counts_elements:
            units = n_elements(exchange.query)
            caller, head = b"%b\t%d" % (caller, units), use.event_head_of(units)
        event = join_request(head, address, origin, exchange.id)
        self._counter.count(use.key.account_id, spec, caller, event, exchange)

    def _answer(self, exchange: Exchange, verdict: Verdict | None, moment: Moment | None) -> None:
        use = exchange.use
        if verdict is None or moment is None:
            # What memory alone refuses is refused whether or not it could be recorded.
            self._refuse(exchange, use.refused or Outcome.UNAVAILABLE)
            return
        self.metrics.outcomes[verdict.number] += 1
        numbers = replies.limit_numbers(use.window_s, verdict, moment)
        if verdict.number == _ALLOWED and exchange.head.is_question and not exchange.is_last:
            exchange.send_bytes(use.pass_text % (exchange.id, *numbers))
            return
        headers = use.policy + use.limits % numbers if use.limits else b""
        if verdict.number != _ALLOWED:
            self._refuse_with_limits(exchange, verdict, moment, headers)
        elif exchange.head.is_question:
            exchange.send(Reply(200, b"", headers=use.identity + headers))
        else:
            self._start(exchange, self._answer_from_sandbox(exchange, headers))

    def _refuse_with_limits(self, exchange: Exchange, verdict: Verdict, moment: Moment, headers: bytes) -> None:
        exchange.send(
            replies.refusal_reply(
                verdict.outcome,
                request_id=exchange.id,
                key=exchange.use.key,
                service=exchange.use.service,
                headers=headers,
                retry_after_s=replies.retry_after_s(verdict, moment),
                is_own=verdict.left_own == 0 and verdict.left_month != 0,
            )
        )

    async def _answer_from_sandbox(self, exchange: Exchange, headers: bytes) -> None:
        """In a thread: a map tile that is drawn for the first time would keep everyone else waiting."""
        answer = await asyncio.to_thread(
            sandbox_answer,
            path=exchange.path,
            query=exchange.query.decode("latin-1"),
            base_url=self._base_url(exchange),
        )
        if answer.status >= 400:
            refused = json.loads(answer.body)
            reply = replies.error_reply(answer.status, refused["code"], refused["message"], exchange.id, headers)
        else:
            reply = Reply(answer.status, answer.body, answer.content_type.encode(), headers)
        exchange.send(reply)

    def _base_url(self, exchange: Exchange) -> str:
        """Where the caller reached us, for the URLs inside a style; our public URL where it does not say."""
        host = exchange.head.host
        if not host or not all(byte in _HOST_BYTES for byte in host):
            return self._public_url
        return f"{self._public_url.partition('://')[0]}://{host.decode()}"

    def _refuse(self, exchange: Exchange, outcome: Outcome) -> None:
        self.metrics.count(outcome)
        retry_after_s = 1 if outcome is Outcome.UNAVAILABLE else None
        exchange.send(
            replies.refusal_reply(
                outcome, request_id=exchange.id, service=exchange.service, retry_after_s=retry_after_s
            )
        )


_HOST_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-[]_")


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
