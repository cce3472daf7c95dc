"""What a key may do less than its account's plan: limits of its own. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# What a map asks for after its style costs nothing and is held to this only: requests a second, for a key and address.
MAP_PART_RATE_LIMIT = 500
# Of a request whose units are a matrix's elements: what a record holds in its units. A query beyond it costs as much
# as this one: no head is long enough for more than a few thousand places, and no matrix service answers so many.
MAX_ELEMENTS = 9_999
# The highest number of requests that a limit may be.
MAX_LIMIT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """A key's own limits; None is none, and then the plan's holds. The lower of both holds where both are set.

    `rate_limit` is in requests for each IP address in the plan's window; `requests_per_day` and
    `requests_per_month` count as the plan's do, a map load being one request. `spend_cap_micro_usd` is what the
    key may cost in a month of the installation's zone: the request that would pass it is refused.
    """

    rate_limit: int | None = None
    requests_per_day: int | None = None
    requests_per_month: int | None = None
    spend_cap_micro_usd: int | None = None


NO_LIMITS = KeyLimits()


def lower_of(*limits: int | None) -> int | None:
    """The lowest of `limits`, None being none at all."""
    return min((limit for limit in limits if limit is not None), default=None)
