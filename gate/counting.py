"""Gathers the requests of one event-loop tick into one script call per shard, and hands out the verdicts.

A call that is not answered in time, or not at all, fails its requests: they are refused as unavailable,
whatever the store may have counted, so that none is answered twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from gate.calendar import TTLS, Calendar, Moment
from gate.exchange import Exchange
from gate.metrics import Metrics
from gate.specs import Verdict, unpack_verdicts
from gate.store import Store, bulk
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
        answer: Answer,
    ) -> None:
        self._metrics = metrics
        self._answer = answer
        self._store = store
        self._stream_keys = stream_keys
        self._zone = zone
        self._timeout_s = timeout_s
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._pending: list[tuple[list[bytes], list[Exchange]]] = [([], []) for _ in stream_keys]
        self._is_scheduled = False
        self._waiting_since = perf_counter()
        self._under_way: set[Call] = set()
        self._calendar = Calendar.around(now(), zone)

    def count(self, account_id: int, spec: bytes, caller: bytes, event: bytes, exchange: Exchange) -> None:
        shard = account_id % len(self._pending)
        arguments, exchanges = self._pending[shard]
        arguments.append(
            b"$%d\r\n%b\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(spec), spec, len(caller), caller, len(event), event)
        )
        exchanges.append(exchange)
        if len(exchanges) >= BATCH_SIZE:
            self._send_pending(shard)
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
        for shard, (_, exchanges) in enumerate(self._pending):
            if exchanges:
                self._send_pending(shard)

    def _send_pending(self, shard: int) -> None:
        now = self._now()
        if self._calendar.is_stale(to_epoch_us(now)):
            self._calendar = Calendar.around(now, self._zone)
        head = bulk(self._calendar.packed_days) + bulk(TTLS)
        arguments, exchanges = self._pending[shard]
        self._pending[shard] = ([], [])
        call = Call(self, exchanges, self._waiting_since)
        self._under_way.add(call)
        call.timer = self._loop.call_later(self._timeout_s, self._time_out, call)
        n_arguments = 2 + 3 * len(arguments)
        self._store.call(self._stream_keys[shard], head + b"".join(arguments), n_arguments, call.answered)

    def _time_out(self, call: Call) -> None:
        logger.error("store_too_slow", extra={"timeout_s": self._timeout_s})
        call.answered(None)
        self._store.drop_connection()

    def ended(self, call: Call, answer: bytes | None) -> None:
        """Hands the verdicts of a call to those who wait for them."""
        self._under_way.discard(call)
        n = len(call.exchanges)
        self._metrics.batch_requests.observe(n)
        self._metrics.decision_seconds.observe(perf_counter() - call.waiting_since, n)
        self._metrics.n_store_failures += answer is None
        moment: Moment | None = None
        verdicts: list[Verdict] | list[None] = [None] * n
        if answer is not None:
            now_us, verdicts = unpack_verdicts(answer)
            moment = self._calendar.moment(now_us)
        tell = self._answer
        for exchange, verdict in zip(call.exchanges, verdicts, strict=True):
            try:
                tell(exchange, verdict, moment)
            except Exception:
                # One client's trouble must not reach the others who share this call.
                logger.exception("verdict_not_taken", extra={"request_id": exchange.id.decode()})


class Call:
    """One script call and those who wait for it. The first answer, or failure, is the only one."""

    __slots__ = ("_counter", "_is_ended", "exchanges", "timer", "waiting_since")

    def __init__(self, counter: Counter, exchanges: list[Exchange], waiting_since: float) -> None:
        self._counter = counter
        self._is_ended = False
        self.exchanges = exchanges
        self.waiting_since = waiting_since
        self.timer: asyncio.TimerHandle | None = None

    def answered(self, answer: bytes | None) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        if self.timer is not None:
            self.timer.cancel()
        self._counter.ended(self, answer)
