"""Gathers the requests of one event-loop tick into one script call per shard, and hands out the verdicts.

A call that is not answered in time, or not at all, fails its requests: `gate/store_failure.py` says what becomes of
them, and no later answer is heard, so that none is answered twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from gate.calendar import TTLS, Calendar, Moment
from gate.exchange import Exchange
from gate.local_limits import Asked
from gate.metrics import Metrics
from gate.specs import Verdict, unpack_verdicts
from gate.spool_frames import Sent
from gate.store import Failed, Store, bulk
from gate.store_failure import Calls, StoreFailure, WhenStoreFails
from goongdash.lib.clock import to_epoch_us

logger = logging.getLogger(__name__)

# A call of this many goes out before its tick has ended, so that the store works while the gate reads on, and
# no script keeps the store from everyone else for long.
BATCH_SIZE = 64


# Takes one request's verdict, or None and None where there is none.
Answer = Callable[[Exchange, Verdict | None, Moment | None], None]


class Counter:
    """`count` may be called thousands of times a tick; `answer` takes the verdict of each, or None on failure."""

    def __init__(
        self,
        store: Store,
        stream_keys: list[bytes],
        zone: ZoneInfo,
        timeout_s: float,
        now: Callable[[], datetime],
        metrics: Metrics,
        failure: StoreFailure,
        answer: Answer,
    ) -> None:
        self._metrics = metrics
        self._failure = failure
        self._calls = Calls()
        self._answer = answer
        self._store = store
        self._stream_keys = stream_keys
        self._zone = zone
        self._timeout_s = timeout_s
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._pending = [Call(self, shard) for shard in range(len(stream_keys))]
        self._is_scheduled = False
        self._waiting_since = perf_counter()
        self._under_way: set[Call] = set()
        self._calendar = Calendar.around(now(), zone)

    def count(self, account_id: int, spec: bytes, caller: bytes, event: bytes, exchange: Exchange) -> None:
        call = self._pending[account_id % len(self._pending)]
        call.arguments.append(
            b"$%d\r\n%b\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(spec), spec, len(caller), caller, len(event), event)
        )
        call.asked.append((exchange, caller, event))
        if len(call.asked) >= BATCH_SIZE and not self._failure.is_away:
            self._send(call)
        elif not self._is_scheduled:
            self._is_scheduled = True
            self._waiting_since = perf_counter()
            self._loop.call_soon(self._flush)

    @property
    def is_busy(self) -> bool:
        """Whether anything is pending or under way."""
        return self._is_scheduled or bool(self._under_way)

    def _flush(self) -> None:
        self._is_scheduled = False
        for call in list(self._pending):
            if call.asked:
                self._send(call)

    def _send(self, call: Call) -> None:
        now = self._now()
        if self._calendar.is_stale(to_epoch_us(now)):
            self._calendar = Calendar.around(now, self._zone)
        self._pending[call.shard] = Call(self, call.shard)
        call.waiting_since = self._waiting_since
        self._under_way.add(call)
        if self._failure.is_away:
            call.answered(Failed.NOT_DONE)
            return
        call.sent = self._calls.next()
        call.timer = self._loop.call_later(self._timeout_s, self._time_out, call)
        head = (self._calendar.packed_days, TTLS, call.sent.connection.encode(), b"%d" % call.sent.number)
        n_arguments = len(head) + 3 * len(call.arguments)
        arguments = b"".join((*map(bulk, head), *call.arguments))
        self._store.call(self._stream_keys[call.shard], arguments, n_arguments, call.answered)

    def _time_out(self, call: Call) -> None:
        logger.error("store_too_slow", extra={"timeout_s": self._timeout_s})
        call.answered(Failed.UNSURE)
        self._store.drop_connection()

    def ended(self, call: Call, answer: bytes | Failed) -> None:
        """Hands the verdicts of a call to those who wait for them."""
        self._under_way.discard(call)
        n = len(call.asked)
        verdicts: Sequence[Verdict | None]
        if isinstance(answer, bytes):
            now_us, verdicts = unpack_verdicts(answer)
            self._hear(call, verdicts, now_us)
        else:
            now_us, verdicts = self._decide(call, answer)
        self._metrics.batch_requests.observe(n)
        self._metrics.decision_seconds.observe(perf_counter() - call.waiting_since, n)
        moment = self._calendar.moment(now_us)
        tell = self._answer
        for (exchange, _, _), verdict in zip(call.asked, verdicts, strict=True):
            try:
                tell(exchange, verdict, moment)
            except Exception:
                # One client's trouble must not reach the others who share this call.
                logger.exception("verdict_not_taken", extra={"request_id": exchange.id.decode()})

    def _hear(self, call: Call, verdicts: Sequence[Verdict], now_us: int) -> None:
        if self._failure.mode is WhenStoreFails.OPEN:
            for (exchange, _, _), verdict in zip(call.asked, verdicts, strict=True):
                self._failure.heard(exchange.use.key, exchange.use.service, verdict, now_us)

    def _decide(self, call: Call, why: Failed) -> tuple[int, list[Verdict | None]]:
        """The verdicts that the store has not given."""
        # A store that has been emptied answers: it is not away.
        if call.sent is not None and why is not Failed.EMPTIED:
            self._metrics.n_store_failures += 1
            self._calls.renew()
            self._failure.failed()
        asked = [_asked(*one) for one in call.asked]
        return self._failure.verdicts(call.shard, asked, call.sent if why is Failed.UNSURE else None)


def _asked(exchange: Exchange, caller: bytes, event: bytes) -> Asked:
    use, (sharer, _, rest) = exchange.use, caller.partition(b"\t")
    if use.counts_elements and rest.isdigit():
        return Asked(use.key, use.service, use.refused, sharer, event, units=int(rest))
    return Asked(use.key, use.service, use.refused, sharer, event, token=rest)


class Call:
    """One script call and those who wait for it. The first answer, or failure, is the only one.

    `sent` is None until it is sent.
    """

    __slots__ = ("_counter", "_is_ended", "arguments", "asked", "sent", "shard", "timer", "waiting_since")

    def __init__(self, counter: Counter, shard: int) -> None:
        self._counter = counter
        self._is_ended = False
        self.shard = shard
        self.arguments: list[bytes] = []
        # Each with who shares its rate, and the end of its event's line.
        self.asked: list[tuple[Exchange, bytes, bytes]] = []
        self.sent: Sent | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.waiting_since = 0.0

    def answered(self, answer: bytes | Failed) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        if self.timer is not None:
            self.timer.cancel()
        self._counter.ended(self, answer)
