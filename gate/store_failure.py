"""What the gate does while the store gives no verdict: refuses (closed), or decides by itself and spools (open).

For the counter. Every call to the store carries a `Sent` of `Calls.next`; the counting script writes the number
down together with what it counts, in `b:<connection>` of the shard, and refuses a call of a connection that a
replay has closed there (an `x` before the number). After any failure the connection is given up and `Calls.renew`
names the next one, before anything else is sent. So a replay can ask whether a call whose answer was lost has
been counted, and from then on it cannot be. Of a call that was counted the store's verdicts are what is recorded,
whatever its callers were told meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from gate.breaker import Breaker
from gate.charges import charges_of
from gate.local_limits import Asked, Decided, LocalLimits
from gate.snapshot import KeySnapshot, ServiceFacts
from gate.specs import Verdict
from gate.spool import Spool, SpoolUnavailable
from gate.spool_frames import Frame, Sent
from gate.today import Today
from goongdash.lib.clock import to_epoch_us
from stats.events import encode_line
from stats.outcomes import BY_NUMBER

logger = logging.getLogger(__name__)


class WhenStoreFails(StrEnum):
    """CLOSED: what needs the store is refused. OPEN: this process's own limits hold, and events are spooled."""

    CLOSED = "closed"
    OPEN = "open"


class Calls:
    """Numbers the calls to the store: from 1 on each connection, whose name is never used again."""

    def __init__(self) -> None:
        self.renew()

    def next(self) -> Sent:
        self._number += 1
        return Sent(self._connection, self._number)

    def renew(self) -> None:
        self._connection = uuid4().hex[:16]
        self._number = 0


@dataclass(slots=True)
class StoreFailure:
    """`is_away` is asked before a batch is sent, `failed` told of each failure, `verdicts` asked after one."""

    mode: WhenStoreFails
    spool: Spool
    limits: LocalLimits
    now: Callable[[], datetime]
    clock: Callable[[], float]
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def is_away(self) -> bool:
        """Whether to send nothing: the store has failed, and no probe of `gate/recovery.py` has succeeded since."""
        return self.breaker.is_open

    def failed(self) -> None:
        """A call was not answered in time, or not at all, or with an error."""
        if self.breaker.failed(self.clock()):
            logger.error("store_away", extra={"mode": self.mode.value})

    def verdicts(self, shard: int, asked: Sequence[Asked], sent: Sent | None) -> tuple[int, list[Verdict | None]]:
        """When by the gate's clock, in microseconds, and the verdict on each of one shard's requests; None: refuse it
        as unavailable.

        `sent` names the call that they were sent in where it was not answered; None where the store has certainly
        not counted them: never sent, or answered with an error. In open mode their events are on the disk when
        this returns; one call for all that a tick brings costs one fsync.
        """
        now_us = to_epoch_us(self.now())
        if self.mode is WhenStoreFails.CLOSED:
            return now_us, [None] * len(asked)
        decided = [self.limits.decide(one, now_us) for one in asked]
        try:
            self.spool.append(self._frame(shard, asked, decided, sent, now_us))
        except SpoolUnavailable:
            self._take_back(asked, decided, now_us)
            return now_us, [None] * len(asked)
        return now_us, [its.verdict for its in decided]

    def heard(self, key: KeySnapshot, service: ServiceFacts | None, verdict: Verdict, now_us: int) -> None:
        """What the store says while it is there: where local limits begin when it is not.

        Not while something is spooled that it has not been told: it would give that a second time.
        """
        if self.mode is WhenStoreFails.OPEN and not self.spool.n_waiting:
            self.limits.learn(key, service, verdict, now_us)

    def recovered(self) -> None:
        """All that was spooled has reached the store's counters: local ones are of no more use."""
        self.limits.forget()

    def _frame(
        self, shard: int, asked: Sequence[Asked], decided: Sequence[Decided], sent: Sent | None, now_us: int
    ) -> Frame:
        lines = (
            encode_line(
                BY_NUMBER[its.verdict.number],
                one.event,
                is_charged=its.is_charged,
                cost_micro_usd=its.price_micro_usd if one.tells_cost else None,
            )
            for one, its in zip(asked, decided, strict=True)
        )
        charges = charges_of(asked, decided, Today.at(now_us, self.limits.zone))
        return Frame(shard, now_us, tuple(lines), tuple(charges), sent)

    def _take_back(self, asked: Sequence[Asked], decided: Sequence[Decided], now_us: int) -> None:
        """What is refused after all counts against nothing. Last first, as sessions are put back as they were."""
        for one, its in reversed(list(zip(asked, decided, strict=True))):
            if its.is_allowed:
                self.limits.take_back(one, its, now_us)
