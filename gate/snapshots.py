"""The gate's memory of keys: bounded, refreshed, and told of every change.

A key is read from PostgreSQL when it is not known or its time-to-live is over; while PostgreSQL is away, a
known key goes on. A change that is announced drops the key at once, and a reading that had begun before the
announcement is not kept, so that it cannot put back what was revoked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gate.snapshot import Catalogue, KeySnapshot, ServiceFacts
from gate.use import Use
from stats.outcomes import Outcome

logger = logging.getLogger(__name__)

UNKNOWN_TTL_S = 1.0
MAX_UNKNOWN = 10_000
# Of one key: its web sites, or what strangers claim to be.
MAX_DECISIONS = 1_024
MAX_PLACE_BYTES = 1_024

# Service id, Referer, Origin, and the address where the key's list has addresses: all that a decision hangs on.
Place = tuple[int, bytes | None, bytes | None, bytes | None]
# What the request uses, and its origin as it is recorded.
Decision = tuple[Use, bytes]
RETRY_S = 2.0


class SourceUnavailable(Exception):
    """PostgreSQL does not answer."""


@dataclass(slots=True, eq=False)
class Entry:
    """A remembered key (None: there is no such key), and what was worked out for it, dropped along with it."""

    key: KeySnapshot | None
    fresh_until: float
    uses: dict[tuple[int, Outcome | None], Use] = field(default_factory=dict)
    decisions: dict[Place, Decision] = field(default_factory=dict)

    def use(self, key: KeySnapshot, service: ServiceFacts | None, refused: Outcome | None) -> Use:
        """What every such request of the key has in common."""
        name = (0 if service is None else service.id, refused)
        use = self.uses.get(name)
        if use is None:
            use = self.uses[name] = Use.of(key, service, refused)
        return use

    def remember(self, place: Place, decision: Decision) -> None:
        """Keeps a decision for the next request from the same place; forgets all when there are too many.

        One with absurdly long headers is not kept, so that nobody can fill the memory with them.
        """
        if sum(len(part) for part in place[1:] if isinstance(part, bytes)) > MAX_PLACE_BYTES:
            return
        if len(self.decisions) >= MAX_DECISIONS:
            self.decisions.clear()
        self.decisions[place] = decision


@dataclass(slots=True)
class Snapshots:
    """Keys by look-up digest. `now` is a monotonic clock in seconds; the loaders raise SourceUnavailable."""

    load_key: Callable[[str], Awaitable[KeySnapshot | None]]
    load_catalogue: Callable[[], Awaitable[Catalogue]]
    now: Callable[[], float]
    ttl_s: float
    size: int
    catalogue: Catalogue = field(default_factory=lambda: Catalogue({}, ()))
    _entries: dict[str, Entry] = field(default_factory=dict)
    # Apart, so that a flood of garbage cannot push real keys out.
    _unknown: dict[str, Entry] = field(default_factory=dict)
    _loading: dict[str, asyncio.Task[Entry]] = field(default_factory=dict)
    _n_changes: int = 0

    @property
    def n_keys(self) -> int:
        """How many keys are remembered."""
        return len(self._entries)

    async def start(self) -> None:
        self.catalogue = await self.load_catalogue()

    def known(self, digest: str) -> Entry | None:
        """The remembered key if it is fresh; None: it has to be asked for."""
        entry = self._entries.get(digest) or self._unknown.get(digest)
        return entry if entry is not None and entry.fresh_until > self.now() else None

    async def ask(self, digest: str) -> Entry:
        """The key, read anew; many who ask at once share one reading. Raises SourceUnavailable."""
        task = self._loading.get(digest)
        if task is None:
            task = self._loading[digest] = asyncio.create_task(self._read(digest))
            task.add_done_callback(lambda _: self._loading.pop(digest, None))
        return await asyncio.shield(task)

    def drop_key(self, digest: str) -> None:
        self._n_changes += 1
        self._entries.pop(digest, None)
        self._unknown.pop(digest, None)

    def drop_account(self, account_id: int) -> None:
        self._n_changes += 1
        gone = [d for d, entry in self._entries.items() if entry.key and entry.key.account_id == account_id]
        for digest in gone:
            del self._entries[digest]

    def drop_all(self) -> None:
        self._n_changes += 1
        self._entries.clear()
        self._unknown.clear()

    def doubt_all(self) -> None:
        """Announcements may have been missed: every key is to be read anew, and used on while it cannot be."""
        self._n_changes += 1
        for entry in self._entries.values():
            entry.fresh_until = 0.0

    async def _read(self, digest: str) -> Entry:
        while True:
            n_changes = self._n_changes
            try:
                key = await self.load_key(digest)
            except SourceUnavailable:
                return self._go_on_with(digest)
            if n_changes == self._n_changes:
                return self._keep(digest, key)

    def _keep(self, digest: str, key: KeySnapshot | None) -> Entry:
        entry = Entry(key, self.now() + (UNKNOWN_TTL_S if key is None else self.ttl_s))
        self._entries.pop(digest, None)
        self._unknown.pop(digest, None)
        kept, size = (self._unknown, MAX_UNKNOWN) if key is None else (self._entries, self.size)
        while len(kept) >= size:
            del kept[next(iter(kept))]
        kept[digest] = entry
        return entry

    def _go_on_with(self, digest: str) -> Entry:
        entry = self._entries.get(digest)
        if entry is None or entry.key is None:
            raise SourceUnavailable
        entry.fresh_until = self.now() + RETRY_S
        return entry
