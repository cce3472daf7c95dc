"""Decides what of a key's use is worth a notice: an origin that is new or suddenly strong, an hour far beyond the
usual. Pure.

A leaked key shows in two ways. A site that nobody knows uses it; and it is used more than ever. Both are weighed
against the key's own past and nobody else's, and nothing is said of a key whose past is too short to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_high

DAYS = 7
# Anybody can send any origin: whoever sends many does not fill the list of notices.
MAX_TOLD_A_DAY = 5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the settings say; they are explained in README.md."""

    learning: timedelta = timedelta(hours=24)
    origin_min_requests: int = 20
    origin_spike_min_requests: int = 100
    origin_spike_percent: int = 50
    origin_usual_percent: int = 10
    key_factor: int = 5
    key_min_requests: int = 200
    key_learning_days: int = 3


@dataclass(frozen=True, slots=True)
class OriginUse:
    """One origin of a key (empty: requests that named none), and its requests in all and in the hour that runs."""

    id: int
    origin: str
    first_seen_at: datetime
    n_requests: int
    n_hour: int
    is_weighed: bool
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key's use: `origins` are those of the hour that runs, or not weighed yet.

    `began_at` is when it was let pass first. `n_requests` and `n_hour` are of all its origins. `n_told` is of how
    many origins its account was told within a day. `busiest` are the requests of the busiest hour of each day,
    of the DAYS before today, on which it was used.
    """

    began_at: datetime
    n_requests: int
    n_hour: int
    origins: Sequence[OriginUse]
    n_told: int = 0
    busiest: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class KeySpike:
    """The key's hour and that of a usual day; `origin` is what makes up most of it, where that is not usual."""

    n_hour: int
    n_usual: int
    origin: OriginUse | None


@dataclass(frozen=True, slots=True)
class OriginSpike:
    origin: OriginUse
    percent: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What is to be told of a key. `weighed` are the ids of origins that are new no more, told of or not."""

    key_spike: KeySpike | None
    first_seen: Sequence[OriginUse]
    spikes: Sequence[OriginSpike]
    weighed: Sequence[int]

    @property
    def is_news(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.key_spike or self.first_seen or self.spikes)

    @property
    def told(self) -> list[int]:
        """The ids of the origins that are told of."""
        of_key = [self.key_spike.origin] if self.key_spike and self.key_spike.origin else []
        return [origin.id for origin in (*of_key, *self.first_seen, *(spike.origin for spike in self.spikes))]


def findings(use: KeyUse, limits: Thresholds, *, now: datetime) -> Findings:
    """One notice for one thing: an origin that the key's own notice names is told of there alone."""
    to_weigh = [o for o in use.origins if not o.is_weighed and o.n_requests >= limits.origin_min_requests]
    learnt_at = use.began_at + limits.learning
    new = [origin for origin in to_weigh if _can_be_blocked(origin) and origin.first_seen_at >= learnt_at]
    strong = [] if now < learnt_at else _strong(use, limits, now)
    key_spike = _key_spike(use, limits, [spike.origin for spike in strong] + new)
    named = {key_spike.origin.id} if key_spike and key_spike.origin else set()
    first_seen = [origin for origin in new if origin.id not in named]
    first_seen = _most(first_seen)[: max(0, MAX_TOLD_A_DAY - use.n_told - len(named))]
    is_new = {origin.id for origin in new} | named
    return Findings(
        key_spike=key_spike,
        first_seen=first_seen,
        spikes=[spike for spike in strong if spike.origin.id not in is_new],
        weighed=[origin.id for origin in to_weigh],
    )


def usual_hour(busiest: Sequence[int], *, learning_days: int) -> int | None:
    """The requests of the busiest hour of a usual day; None where too few days are known.

    The median, so that neither one wild day nor a quiet weekend says what is usual.
    """
    return median_high(busiest) if len(busiest) >= learning_days else None


def _key_spike(use: KeyUse, limits: Thresholds, unusual: Sequence[OriginUse]) -> KeySpike | None:
    usual = usual_hour(use.busiest, learning_days=limits.key_learning_days)
    if usual is None or use.n_hour < max(limits.key_min_requests, limits.key_factor * usual):
        return None
    strongest = next(iter(_most(unusual)), None)
    is_most = strongest is not None and strongest.n_hour * 2 >= use.n_hour
    return KeySpike(use.n_hour, usual, strongest if is_most else None)


def _strong(use: KeyUse, limits: Thresholds, now: datetime) -> list[OriginSpike]:
    """Origins that make up much of the hour and never did before, and that nobody was told of within a day."""
    n_before = use.n_requests - use.n_hour
    found = []
    for origin in use.origins:
        if not _can_be_blocked(origin) or origin.n_hour < limits.origin_spike_min_requests:
            continue
        share, usual = _percent(origin.n_hour, use.n_hour), _percent(origin.n_requests - origin.n_hour, n_before)
        was_told = origin.told_at is not None and now - origin.told_at < timedelta(days=1)
        if share >= limits.origin_spike_percent and usual <= limits.origin_usual_percent and not was_told:
            found.append(OriginSpike(origin, share))
    return found


def _can_be_blocked(origin: OriginUse) -> bool:
    """Whether it is a web site: not requests that name none, and not the row of all others."""
    return "://" in origin.origin


def _most(origins: Iterable[OriginUse]) -> list[OriginUse]:
    return sorted(origins, key=lambda origin: (-origin.n_hour, -origin.n_requests, origin.id))


def _percent(part: int, whole: int) -> int:
    """Rounded down; nothing of nothing is nothing."""
    return part * 100 // whole if whole else 0
