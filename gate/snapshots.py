"""The gate's memory of keys: bounded, refreshed, and told of every change.

A key is read from PostgreSQL when it is not known or its time-to-live is over; while PostgreSQL is away, a
known key goes on. A change that is announced drops the key at once, and a reading that had begun before the
announcement is not kept, so that it cannot put back what was revoked.

What is read anew goes to the end, so that the first to be pushed out are those that nobody has asked for since
their time-to-live ended: a key in use leaves only when more keys than there is room for come within that time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import islice

from gate.decide import Ruling
from gate.readings import Lane, LoadKeys, Reading
from gate.snapshot import Catalogue, KeySnapshot, ServiceFacts
from gate.use import Use

logger = logging.getLogger(__name__)

UNKNOWN_TTL_S = 1.0
# More than a process can be asked about in that second, so that no text is looked up twice in it.
MAX_UNKNOWN = 50_000
# A tenth of a second's work; who comes when so many wait is told to come again.
MAX_WAITING = 2_000
# Of one key: its web sites, or what strangers claim to be.
MAX_DECISIONS = 1_024
MAX_PLACE_BYTES = 1_024

# Service id, Referer, Origin, and the address where the key's list has addresses: all that a decision hangs on.
Place = tuple[int, bytes | None, bytes | None, bytes | None]
# What the request uses, and its origin as it is recorded.
Decision = tuple[Use, bytes]
RETRY_S = 2.0
# The part of its time-to-live after which a key in use is read anew, so that no request has to wait for that.
REFRESHED_AFTER = 2 / 3


class SourceUnavailable(Exception):
    """PostgreSQL does not answer."""


@dataclass(slots=True, eq=False)
class Entry:
    """A remembered key (None: there is no such key), and what was worked out for it, dropped along with it.

    From `refresh_at` on it is read anew while it is used; after `fresh_until` it is used no more.
    """

    key: KeySnapshot | None
    fresh_until: float
    refresh_at: float = float("inf")
    uses: dict[tuple[int, Ruling], Use] = field(default_factory=dict)
    decisions: dict[Place, Decision] = field(default_factory=dict)

    def use(self, key: KeySnapshot, service: ServiceFacts | None, ruling: Ruling) -> Use:
        """What every such request of the key has in common."""
        name = (0 if service is None else service.id, ruling)
        use = self.uses.get(name)
        if use is None:
            use = self.uses[name] = Use.of(key, service, ruling)
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

    def forget(self) -> None:
        """What was worked out may hold an older service."""
        self.uses.clear()
        self.decisions.clear()


# Stands for every text that is no key.
NOBODY = Entry(None, float("inf"))


@dataclass(slots=True)
class Snapshots:
    """Keys by look-up digest. `now` is a monotonic clock in seconds; the loaders raise SourceUnavailable."""

    load_keys: LoadKeys
    load_catalogue: Callable[[], Awaitable[Catalogue]]
    now: Callable[[], float]
    ttl_s: float
    size: int
    catalogue: Catalogue = field(default_factory=lambda: Catalogue({}, ()))
    _entries: dict[str, Entry] = field(default_factory=dict)
    # By account: the first of a month announces every one of them, and none may cost a look at all keys.
    _digests: dict[int, set[str]] = field(default_factory=dict)
    # Until when a text is known to be no key. Apart, so that a flood of garbage cannot push real keys out.
    _unknown: dict[str, float] = field(default_factory=dict)
    _asked: dict[str, asyncio.Future[Entry]] = field(default_factory=dict)
    # Two, so that no flood of garbage keeps a key in use from being refreshed.
    _refreshed: Lane = field(init=False)
    _met: Lane = field(init=False)
    _is_catalogue_in_doubt: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._refreshed = Lane(self.load_keys, self._take, max_waiting=self.size)
        self._met = Lane(self.load_keys, self._take, max_waiting=MAX_WAITING)

    @property
    def n_keys(self) -> int:
        """How many keys are remembered."""
        return len(self._entries)

    async def start(self) -> None:
        """Reads the services. Raises SourceUnavailable, also for none at all: they are about to be put back."""
        catalogue = await self.load_catalogue()
        if catalogue.is_empty:
            raise SourceUnavailable
        if catalogue != self.catalogue:
            self.catalogue = catalogue
            for entry in self._entries.values():
                entry.forget()

    async def keep_catalogue(self) -> None:
        """Runs until cancelled: reads the services when they are in doubt, and after every time-to-live."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_catalogue_in_doubt.wait(), self.ttl_s)
            self._is_catalogue_in_doubt.clear()
            try:
                await self.start()
            except SourceUnavailable:
                logger.warning("catalogue_not_read")
                self._is_catalogue_in_doubt.set()
                await asyncio.sleep(RETRY_S)

    def known(self, digest: str) -> Entry | None:
        """The remembered key if it is fresh; None: it has to be asked for."""
        entry = self._entries.get(digest)
        if entry is not None:
            now = self.now()
            if now >= entry.refresh_at:
                self._refresh(digest, entry)
            return entry if now < entry.fresh_until else None
        return NOBODY if self._unknown.get(digest, 0.0) > self.now() else None

    async def ask(self, digest: str) -> Entry:
        """The key, read anew; many who ask at once share one reading.

        Raises SourceUnavailable, also where too many keys that nobody knows are asked for at once.
        """
        asked = self._asked.get(digest)
        if asked is None:
            lane = self._refreshed if digest in self._entries else self._met
            if not lane.ask(digest):
                raise SourceUnavailable
            asked = self._asked[digest] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(asked)

    def _refresh(self, digest: str, entry: Entry) -> None:
        """Has a key in use read anew, with nobody waiting for it."""
        entry.refresh_at = float("inf")
        if digest not in self._asked and self._refreshed.ask(digest):
            asked = self._asked[digest] = asyncio.get_running_loop().create_future()
            asked.add_done_callback(_log_failure)

    def drop_key(self, digest: str) -> None:
        for reading in self._under_way():
            reading.changed_keys.add(digest)
        self._forget(digest)

    def drop_account(self, account_id: int) -> None:
        for reading in self._under_way():
            reading.changed_accounts.add(account_id)
        for digest in self._digests.pop(account_id, ()):
            del self._entries[digest]

    def drop_all(self) -> None:
        """Services, prices or plans have changed."""
        self._doubt_readings()
        self._entries.clear()
        self._digests.clear()
        self._unknown.clear()
        self._is_catalogue_in_doubt.set()

    def doubt_all(self) -> None:
        """Announcements may have been missed: all is to be read anew, and keys are used on while they cannot be."""
        self._doubt_readings()
        for entry in self._entries.values():
            entry.fresh_until = 0.0
        self._unknown.clear()
        self._is_catalogue_in_doubt.set()

    def _under_way(self) -> set[Reading]:
        return self._refreshed.under_way | self._met.under_way

    def _doubt_readings(self) -> None:
        for reading in self._under_way():
            reading.is_in_doubt = True

    def _take(self, digest: str, read: KeySnapshot | Exception | None) -> None:
        """Hands what was read of a key, or why it could not be, to those who asked."""
        asked = self._asked.pop(digest)
        if not isinstance(read, Exception):
            asked.set_result(self._keep(digest, read))
        elif isinstance(read, SourceUnavailable) and (entry := self._entries.get(digest)) is not None:
            entry.fresh_until = max(entry.fresh_until, self.now() + RETRY_S)
            entry.refresh_at = self.now() + RETRY_S
            asked.set_result(entry)
        else:
            asked.set_exception(read)

    def _keep(self, digest: str, key: KeySnapshot | None) -> Entry:
        self._forget(digest)
        if key is None:
            self._keep_unknown(digest)
            return NOBODY
        while len(self._entries) >= self.size:
            self._forget(next(iter(self._entries)))
        now = self.now()
        entry = self._entries[digest] = Entry(key, now + self.ttl_s, now + self.ttl_s * REFRESHED_AFTER)
        self._digests.setdefault(key.account_id, set()).add(digest)
        return entry

    def _forget(self, digest: str) -> None:
        self._unknown.pop(digest, None)
        entry = self._entries.pop(digest, None)
        if entry is None or entry.key is None:
            return
        others = self._digests[entry.key.account_id]
        others.discard(digest)
        if not others:
            del self._digests[entry.key.account_id]

    def _keep_unknown(self, digest: str) -> None:
        """Two old ones go for one that comes, so that little is left of a flood that is over."""
        now = self.now()
        for old in [old for old in islice(self._unknown, 2) if self._unknown[old] <= now]:
            del self._unknown[old]
        if len(self._unknown) >= MAX_UNKNOWN:
            del self._unknown[next(iter(self._unknown))]
        self._unknown[digest] = now + UNKNOWN_TTL_S


def _log_failure(asked: asyncio.Future[Entry]) -> None:
    if not asked.cancelled() and (error := asked.exception()) is not None:
        logger.error("key_not_refreshed", extra={"error": str(error)})
