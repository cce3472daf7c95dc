"""What a restriction list would have made of requests that were recorded. Pure.

It asks the list that the gate asks, with the origin, path and address that the gate recorded, so that what it says of
past requests is what the gate would have said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from keys.coverage import Coverage, coverage_of
from keys.errors import RestrictionError
from keys.origins import Origin, parse_url
from keys.restrictions import RestrictionEntry, Restrictions, entry_text, parse_entry

# Stands for an address that nothing was asked of: no list without ranges looks at it.
_ANYWHERE = IPv4Address(0)


@dataclass(frozen=True, slots=True)
class Seen:
    """Recorded requests that a list cannot tell apart.

    `origin` is empty where they named none; `ip` is the address of one of them, empty where the list has no ranges.
    `n_refused` is how many of the `n` the gate refused for their origin.
    """

    origin: str
    path: str
    ip: str
    n: int
    n_refused: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An entry that would let a caller pass, as it is written on a list, and what it covers, in examples."""

    text: str
    coverage: Coverage


@dataclass(slots=True)
class Source:
    """The requests from one origin, those that named none, or, of these, those from one address: `n` in all.

    Of these the list refuses `n_hit`, and the gate refused `n_refused`. One that is blocked is refused whatever the
    list says.
    """

    origin: str
    ip: str
    n: int = 0
    n_hit: int = 0
    n_refused: int = 0
    last_at: datetime | None = None
    is_blocked: bool = False

    @property
    def offer(self) -> Offer | None:
        """The narrowest entry that lets all of it pass; None where there is none."""
        has_name = bool(self.origin or self.ip)
        return _offer(self.origin, self.ip) if has_name and not self.is_blocked else None

    def add(self, seen: Seen, *, is_hit: bool) -> None:
        self.n += seen.n
        self.n_refused += seen.n_refused
        self.n_hit += seen.n if is_hit else 0
        self.last_at = seen.last_at if self.last_at is None else max(self.last_at, seen.last_at)


@dataclass(frozen=True, slots=True)
class Replay:
    """Of `n` requests the list would refuse `n_hit`, of which `n_named_none` named no origin.

    `hit` are the sources with such, most first; `passing` all others.
    """

    n: int = 0
    n_hit: int = 0
    n_named_none: int = 0
    hit: list[Source] = field(default_factory=list)
    passing: list[Source] = field(default_factory=list)


def replay(seen: Iterable[Seen], restrictions: Restrictions) -> Replay:
    """What `restrictions` make of `seen`, by where the requests came from."""
    sources: dict[str, Source] = {}
    for one in seen:
        origin = origin_of(one.origin, one.path)
        source = sources.setdefault(one.origin, Source(one.origin, "", is_blocked=restrictions.blocks(origin)))
        source.add(one, is_hit=not restrictions.allow(origin, _address(one.ip)))
    hit = sorted((source for source in sources.values() if source.n_hit), key=lambda source: -source.n_hit)
    passing = sorted((source for source in sources.values() if not source.n_hit), key=lambda source: -source.n)
    return Replay(
        n=sum(source.n for source in sources.values()),
        n_hit=sum(source.n_hit for source in hit),
        n_named_none=sum(source.n_hit for source in hit if not source.origin),
        hit=hit,
        passing=passing,
    )


@lru_cache(maxsize=20_000)
def origin_of(origin: str, path: str) -> Origin | None:
    """What the gate read of a request whose origin and path it recorded so."""
    return parse_url(origin + (path or "/")) if origin else None


@lru_cache(maxsize=20_000)
def _address(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text) if text else _ANYWHERE


def _offer(origin: str, ip: str) -> Offer | None:
    text = f"{origin}/*" if origin else ip
    try:
        entry = parse_entry(text)
    except RestrictionError:
        return None
    return Offer(entry_text(entry), coverage_of(entry)) if _fits(entry, origin, ip) else None


def _fits(entry: RestrictionEntry, origin: str, ip: str) -> bool:
    return Restrictions.of_parsed([entry]).allow(origin_of(origin, ""), _address(ip))
