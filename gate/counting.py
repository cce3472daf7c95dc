"""Gathers the requests of one event-loop tick into one script call per shard, and hands out the verdicts.

A call that is not answered in time, or not at all, fails its requests: they are refused as unavailable,
whatever the store may have counted, so that none is answered twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from gate.calendar import TTLS, Calendar
from gate.specs import Verdict, unpack_verdicts
from gate.store import Store, bulk
from goongdash.lib.clock import to_epoch_us

logger = logging.getLogger(__name__)

# A call of this many goes out before its tick has ended, so that the store works while the gate reads on, and
# no script keeps the store from everyone else for long.
BATCH_SIZE = 32

Answer = Callable[[Verdict | None], None]


class Counter:
    """`count` may be called thousands of times a tick; each gets its verdict, or None on failure."""

    def __init__(
        self,
        store: Store,
        stream_keys: list[bytes],
        zone: ZoneInfo,
        timeout_s: float,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._stream_keys = stream_keys
        self._zone = zone
        self._timeout_s = timeout_s
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._pending: list[tuple[list[bytes], list[Answer]]] = [([], []) for _ in stream_keys]
        self._is_scheduled = False
        self._under_way: set[Call] = set()
        self.calendar = Calendar.around(now(), zone)

    def count(self, account_id: int, spec: bytes, caller: bytes, event: bytes, answer: Answer) -> None:
        shard = account_id % len(self._pending)
        arguments, answers = self._pending[shard]
        arguments.append(bulk(spec) + bulk(caller) + bulk(event))
        answers.append(answer)
        if len(answers) >= BATCH_SIZE:
            self._send_pending(shard)
        elif not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._flush)

    @property
    def is_busy(self) -> bool:
        """Whether anything is pending or under way."""
        return self._is_scheduled or bool(self._under_way)

    def _flush(self) -> None:
        self._is_scheduled = False
        for shard, (_, answers) in enumerate(self._pending):
            if answers:
                self._send_pending(shard)

    def _send_pending(self, shard: int) -> None:
        now = self._now()
        if self.calendar.is_stale(to_epoch_us(now)):
            self.calendar = Calendar.around(now, self._zone)
        head = bulk(self.calendar.packed_days) + bulk(TTLS)
        arguments, answers = self._pending[shard]
        self._pending[shard] = ([], [])
        call = Call(answers, self._under_way.discard)
        self._under_way.add(call)
        call.timer = self._loop.call_later(self._timeout_s, self._time_out, call)
        n_arguments = 2 + 3 * len(arguments)
        self._store.call(self._stream_keys[shard], head + b"".join(arguments), n_arguments, call.answered)

    def _time_out(self, call: Call) -> None:
        logger.error("store_too_slow", extra={"timeout_s": self._timeout_s})
        call.answered(None)
        self._store.drop_connection()


class Call:
    """One script call and those who wait for it. The first answer, or failure, is the only one."""

    def __init__(self, answers: list[Answer], on_end: Callable[[Call], None]) -> None:
        self._answers: list[Answer] | None = answers
        self._on_end = on_end
        self.timer: asyncio.TimerHandle | None = None

    def answered(self, answer: bytes | None) -> None:
        answers, self._answers = self._answers, None
        if answers is None:
            return
        if self.timer is not None:
            self.timer.cancel()
        self._on_end(self)
        verdicts = [None] * len(answers) if answer is None else unpack_verdicts(answer)
        for tell, verdict in zip(answers, verdicts, strict=True):
            try:
                tell(verdict)
            except Exception:
                # One client's trouble must not reach the others who share this call.
                logger.exception("verdict_not_taken")
