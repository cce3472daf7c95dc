"""What a gate process counts of its own work: plain numbers, cheap to raise. Pure.

Numbers of several processes are added up; only gauges say something of now, and count only while their process lives.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from stats.outcomes import OUTCOMES, Outcome

DECISION_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
BATCH_REQUESTS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(slots=True)
class Histogram:
    """How many observations fell into each bucket (upper bounds, inclusive; one more for what is above all)."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def observe(self, value: float, n: int = 1) -> None:
        """Counts `n` observations of the same value."""
        self.counts[bisect_left(self.bounds, value)] += n
        self.total += value * n

    def add(self, counts: list[int], total: float) -> None:
        self.counts = [mine + others for mine, others in zip(self.counts, counts, strict=True)]
        self.total += total


@dataclass(slots=True)
class Metrics:
    """One process's numbers. `outcomes` is by outcome number; `gauges` are set by whoever knows them."""

    outcomes: list[int] = field(default_factory=lambda: [0] * len(OUTCOMES))
    decision_seconds: Histogram = field(default_factory=lambda: Histogram(DECISION_SECONDS))
    batch_requests: Histogram = field(default_factory=lambda: Histogram(BATCH_REQUESTS))
    n_bad_requests: int = 0
    n_key_hits: int = 0
    n_key_misses: int = 0
    n_head_hits: int = 0
    n_head_misses: int = 0
    n_store_failures: int = 0
    gauges: dict[str, int] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> None:
        self.outcomes[OUTCOMES[outcome].number] += 1

    def as_data(self) -> dict[str, Any]:
        """All numbers as JSON takes them; `add_data` reads them back."""
        return {
            "outcomes": self.outcomes,
            "decision_seconds": [self.decision_seconds.counts, self.decision_seconds.total],
            "batch_requests": [self.batch_requests.counts, self.batch_requests.total],
            **{name: getattr(self, name) for name in NUMBERS},
            "gauges": self.gauges,
        }

    def add_data(self, data: dict[str, Any], *, is_alive: bool) -> None:
        """Adds what another process has counted. Raises KeyError or ValueError for what no such process wrote."""
        self.outcomes = [mine + others for mine, others in zip(self.outcomes, data["outcomes"], strict=True)]
        self.decision_seconds.add(*data["decision_seconds"])
        self.batch_requests.add(*data["batch_requests"])
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + data[name])
        if is_alive:
            for name, value in data["gauges"].items():
                self.gauges[name] = self.gauges.get(name, 0) + value


NUMBERS = (
    "n_bad_requests",
    "n_key_hits",
    "n_key_misses",
    "n_head_hits",
    "n_head_misses",
    "n_store_failures",
)
