"""A stand-in for PostgreSQL, and the stage for scenarios that snapshots go through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gate.snapshot import Catalogue, KeySnapshot
from gate.snapshots import Snapshots, SourceUnavailable
from tests.gate.snapshots import SNAPSHOT


@dataclass
class Source:
    """Stands in for PostgreSQL: answers when it is let to, and can be away."""

    keys: dict[str, KeySnapshot]
    now_s: float = 100.0
    is_away: bool = False
    readings: list[list[str]] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    catalogue: Catalogue = field(default_factory=lambda: Catalogue({}, ()))
    n_catalogues: int = 0

    @property
    def n_reads(self) -> int:
        return len(self.readings)

    async def load_keys(self, digests: Sequence[str]) -> dict[str, KeySnapshot]:
        self.readings.append(list(digests))
        found = {digest: self.keys[digest] for digest in digests if digest in self.keys}
        await self.may_answer.wait()
        if self.is_away:
            raise SourceUnavailable
        return found

    async def is_asked(self, n_readings: int = 1) -> None:
        while self.n_reads < n_readings:
            await asyncio.sleep(0)

    async def load_catalogue(self) -> Catalogue:
        self.n_catalogues += 1
        if self.is_away:
            raise SourceUnavailable
        return self.catalogue

    def snapshots(self, size: int = 10) -> Snapshots:
        return Snapshots(self.load_keys, self.load_catalogue, lambda: self.now_s, ttl_s=30.0, size=size)


Scenario = Callable[[Source, Snapshots], Coroutine[Any, Any, None]]


def play(scenario: Scenario, *, waits: bool = False, size: int = 10) -> None:
    async def run() -> None:
        source = Source({"a": SNAPSHOT, "b": replace(SNAPSHOT, key_id=8, account_id=4)})
        if not waits:
            source.may_answer.set()
        await scenario(source, source.snapshots(size))

    asyncio.run(run())
