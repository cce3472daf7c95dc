"""What the gate remembers of a key and of the services: frozen pictures of rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from urllib.parse import unquote

from billing.pricing import Tiers
from keys.key_text import KeyTypeName
from keys.restrictions import Restrictions

MAX_FOUND = 1_024


class SessionPart(IntEnum):
    """What a request to a service is in its autocomplete session; the numbers are the counting script's."""

    NONE = 0
    SEARCH = 1
    DETAIL = 2


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service as the gate needs it. `path` is in lower case, `*` in it is any run of characters but `/`."""

    id: int
    slug: str
    name: str
    key_type: KeyTypeName
    unit: str
    path: str
    session_part: SessionPart = SessionPart.NONE

    @property
    def units(self) -> int:
        """What one allowed request is recorded with, where its query does not say."""
        return 0 if self.is_map_part else 1

    @property
    def counts_elements(self) -> bool:
        """Each request has as many units as its matrix has elements."""
        return self.unit == "element"

    @property
    def is_map_part(self) -> bool:
        """It is part of a map load, and comes with it."""
        return self.unit == "none"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All services, found by path in any case."""

    by_path: Mapping[str, ServiceFacts]
    patterns: tuple[tuple[re.Pattern[str], ServiceFacts], ...]
    # Paths as callers write them, of services without a star: each is looked up once.
    _found: dict[bytes, tuple[str, ServiceFacts]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, services: Iterable[ServiceFacts]) -> Catalogue:
        services = list(services)
        return cls(
            {service.path: service for service in services if "*" not in service.path},
            tuple((_path_regex(service.path), service) for service in services if "*" in service.path),
        )

    @property
    def is_empty(self) -> bool:
        return not self.by_path and not self.patterns

    def find(self, raw_path: bytes) -> tuple[str, ServiceFacts | None]:
        """A path as text, and the service that it calls, in any case of letters; None where there is none."""
        known = self._found.get(raw_path)
        if known is not None:
            return known
        path = raw_path.decode("latin-1")
        if "%" in path:
            path = unquote(path, errors="replace")
        if _ODD.search(path):
            return path, None
        lower = path.lower()
        exact = self.by_path.get(lower)
        if exact is not None:
            if len(self._found) < MAX_FOUND:
                self._found[raw_path] = (path, exact)
            return path, exact
        return path, next((service for regex, service in self.patterns if regex.fullmatch(lower)), None)


@dataclass(frozen=True, slots=True)
class ServicePrice:
    """What a service costs by volume, or from a coming instant on: `now` until `next_from_us`, then `next`."""

    now: Tiers
    next: Tiers | None = None
    next_from_us: int = 0

    def at(self, now_us: int) -> Tiers:
        return self.now if self.next is None or now_us < self.next_from_us else self.next

    @property
    def counts_units(self) -> bool:
        """Whether the month's volume makes a difference, now or then."""
        return not self.now.is_flat or (self.next is not None and not self.next.is_flat)


@dataclass(frozen=True, slots=True)
class Credit:
    """What the account may spend, all in all, in the month of loading and in the one after it (months: 202611)."""

    month: int
    allowance_micro_usd: int
    next_month: int
    next_allowance_micro_usd: int


@dataclass(frozen=True, slots=True)
class Used:
    """What the rollups said when the key was loaded: where a counter begins that the store does not have.

    What is the key's own, of this month, is read only for a key that has limits of its own for it.
    """

    day: int = 0
    n_key_today: int = 0
    month: int = 0
    n_requests: int = 0
    n_map_loads: int = 0
    spent_micro_usd: int = 0
    n_key_this_month: int = 0
    key_spent_micro_usd: int = 0
    # By service id, of the services whose price has tiers.
    units: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """What holds in a month besides plan and credit; None is none.

    The key's own requests (map loads count alike) and spend cap, and the budget that its account has set itself.
    """

    requests_per_month: int | None = None
    spend_cap_micro_usd: int | None = None
    budget_micro_usd: int | None = None


@dataclass(frozen=True, slots=True)
class KeySnapshot:
    """A key, the limits that hold for it, and its account's money. Limits of None are none.

    `services` are the ids of those that it opens; None is all of its type. `is_report_only`: what `restrictions`
    would refuse passes, and is recorded as such. `prices` are for one unit, by service id, and `tiered` stands before
    them where a price has tiers or is about to change.
    """

    key_id: int
    account_id: int
    type: KeyTypeName
    is_revoked: bool
    is_disabled: bool
    expires_at_us: int | None
    restrictions: Restrictions
    rate_limit: int
    rate_window_s: int
    requests_per_day: int | None
    requests_per_month: int | None
    map_loads_per_month: int | None
    prices: Mapping[int, int]
    credit: Credit
    used: Used = field(default_factory=Used)
    services: frozenset[int] | None = None
    own: OwnLimits | None = None
    tiered: Mapping[int, ServicePrice] = field(default_factory=dict)
    is_report_only: bool = False
    # The first of the keys that took each other's place.
    lineage_id: int | None = None

    @property
    def counted_id(self) -> int:
        """Whose counters it counts in: keys of one lineage share their limits."""
        return self.lineage_id or self.key_id


# What somebody behind us may read as another path: dot segments, backslashes, escapes left after decoding.
_ODD = re.compile(r"(?:^|/)\.{1,2}(?:/|$)|[\\%]")


def _path_regex(path: str) -> re.Pattern[str]:
    # One run of non-slashes per star, so that matching cannot take more than linear time.
    return re.compile("[^/]+".join(re.escape(part) for part in path.split("*")))
