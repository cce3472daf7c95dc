"""Turns sums that exist into series with a value for every bucket, and into totals. Pure.

A sum has no row where nothing happened; a chart has a bar of height zero there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from stats.outcomes import Outcome

Bucket = date | datetime
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one service had of one outcome in one hour or day. `service_id` is None where the path named none."""

    bucket: Bucket
    service_id: int | None
    outcome: Outcome
    n_requests: int
    units: int
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of any rows."""

    n_requests: int = 0
    n_allowed: int = 0
    units: int = 0
    cost_micro_usd: int = 0

    @property
    def n_refused(self) -> int:
        return self.n_requests - self.n_allowed

    @property
    def percent_refused(self) -> float:
        return percent(self.n_refused, self.n_requests)

    def plus(self, row: UsageRow) -> Totals:
        return Totals(
            self.n_requests + row.n_requests,
            self.n_allowed + (row.n_requests if row.outcome is Outcome.ALLOWED else 0),
            self.units + row.units,
            self.cost_micro_usd + row.cost_micro_usd,
        )


def totals_added(some: Iterable[Totals]) -> Totals:
    """The totals of all that `some` are totals of."""
    parts = list(some)
    return Totals(
        sum(part.n_requests for part in parts),
        sum(part.n_allowed for part in parts),
        sum(part.units for part in parts),
        sum(part.cost_micro_usd for part in parts),
    )


def totals_of(rows: Iterable[UsageRow]) -> Totals:
    result = Totals()
    for row in rows:
        result = result.plus(row)
    return result


def zero_filled(
    rows: Iterable[UsageRow], buckets: Sequence[date] | Sequence[datetime], key: Callable[[UsageRow], K]
) -> dict[K, list[int]]:
    """Requests in each of `buckets` (in order), for every key that some row has.

    A row belongs to the last bucket that begins no later than its own. Raises ValueError for a row before
    all of them: left out, it would make the total wrong.
    """
    result: dict[K, list[int]] = {}
    for row in rows:
        place = bisect_right(buckets, row.bucket) - 1
        if place < 0:
            raise ValueError(f"No bucket for {row.bucket}.")
        result.setdefault(key(row), [0] * len(buckets))[place] += row.n_requests
    return result


def percent(part: int, whole: int) -> float:
    """`part` of `whole` in percent; 0 of nothing is 0."""
    return 100 * part / whole if whole else 0.0
