"""When an account is told how much of its money is used: parts in percent of what a month may cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable

USUAL_PERCENTS = (50, 80, 100)
MAX_PERCENTS = 10
# A request that costs more than is left is refused, and what is left stays: then all of it is as good as used.
NEARLY_ALL_PERCENT = 90


def percent_reached(
    *, spent_micro_usd: int, limit_micro_usd: int, percents: Iterable[int], is_refused: bool
) -> int | None:
    """The highest of `percents` that is reached; None where none is, or where nothing may be spent anyhow.

    `is_refused`: this month requests were refused because of the limit.
    """
    if limit_micro_usd <= 0:
        return None
    used = spent_micro_usd * 100 // limit_micro_usd
    if is_refused and used >= NEARLY_ALL_PERCENT:
        used = max(used, 100)
    return max((percent for percent in percents if percent <= used), default=None)
