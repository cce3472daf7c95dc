"""Gathers the keys that are asked for into readings: many keys in one, few under way at once.

Whatever is asked for while the readings are under way goes into the next one together, so that a flood costs
the source no more readings than a trickle. What is announced during a reading makes its answer worthless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from gate.snapshot import KeySnapshot

BATCH = 64
N_AT_ONCE = 2
# Requests of one tick, and of those just behind it, share a reading.
GATHER_S = 0.002

Found = Mapping[str, KeySnapshot]
LoadKeys = Callable[[Sequence[str]], Awaitable[Found]]


@dataclass(slots=True, eq=False)
class Reading:
    """The digests of one reading under way, and what has changed since it began."""

    digests: list[str]
    changed_keys: set[str] = field(default_factory=set)
    changed_accounts: set[int] = field(default_factory=set)
    is_in_doubt: bool = False

    def is_stale(self, digest: str, key: KeySnapshot | None) -> bool:
        """Whether what was read may be older than an announcement."""
        return (
            self.is_in_doubt
            or digest in self.changed_keys
            or (key is not None and key.account_id in self.changed_accounts)
        )


class Lane:
    """Keys that wait for their reading. Lanes do not wait for each other.

    `done` gets each digest with its key (None: there is none), or with the exception that its reading ended in.
    """

    def __init__(
        self,
        load: LoadKeys,
        done: Callable[[str, KeySnapshot | Exception | None], None],
        *,
        max_waiting: int,
    ) -> None:
        self._load = load
        self._done = done
        self._max_waiting = max_waiting
        # In the order in which they came.
        self._waiting: dict[str, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        self.under_way: set[Reading] = set()

    def ask(self, digest: str) -> bool:
        """Has the key read; False, and nothing done, where too many wait already."""
        if len(self._waiting) >= self._max_waiting:
            return False
        self._waiting[digest] = None
        if not self._is_scheduled and len(self.under_way) < N_AT_ONCE:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(GATHER_S, self._start)
        return True

    def _start(self) -> None:
        self._is_scheduled = False
        while self._waiting and len(self.under_way) < N_AT_ONCE:
            reading = Reading(list(islice(self._waiting, BATCH)))
            for digest in reading.digests:
                del self._waiting[digest]
            self.under_way.add(reading)
            task = asyncio.create_task(self._read(reading))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _read(self, reading: Reading) -> None:
        try:
            found = await self._load(reading.digests)
        except Exception as error:
            # Theirs to handle who wait: none of them may wait for ever.
            self._end(reading, dict.fromkeys(reading.digests, error))
        else:
            self._end(reading, {digest: found.get(digest) for digest in reading.digests})

    def _end(self, reading: Reading, results: Mapping[str, KeySnapshot | Exception | None]) -> None:
        self.under_way.discard(reading)
        for digest, result in results.items():
            if not isinstance(result, Exception) and reading.is_stale(digest, result):
                self._waiting[digest] = None
            else:
                self._done(digest, result)
        self._start()
