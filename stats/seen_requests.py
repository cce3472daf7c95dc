"""Reads a key's past requests as a restriction list is asked about them: those that it cannot tell apart as one.

No index leads to one key's records: they lie among their account's, day by day, and are read in parallel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from keys.models import ApiKey
from keys.restrictions import Restrictions
from stats.outcomes import OUTCOMES, Outcome
from stats.restriction_replay import Seen, Source

# So many kinds of requests are looked at, the most frequent ones; what they leave out is said.
MAX_KINDS = 20_000
TIMEOUT = timedelta(seconds=5)

# Only requests that the list decides about: those that passed, and those that were refused for their origin and
# nothing else. Parts of map loads are among them: a page whose style comes from a cache asks for nothing else.
_LIST_DECIDES = [OUTCOMES[outcome].number for outcome in (Outcome.ALLOWED, Outcome.ORIGIN_NOT_ALLOWED)]
_REFUSED = OUTCOMES[Outcome.ORIGIN_NOT_ALLOWED].number

_COUNTS = "count(*) AS n, count(*) FILTER (WHERE outcome = %(refused)s), max(at)"
_OF_KEY = """
    FROM stats_usagerecord
    WHERE account_id = %(account)s AND key_id = %(key)s AND at >= %(since)s AND outcome = ANY(%(outcomes)s)
"""
_IN_RANGES = "ip <<= ANY(%(ranges)s::inet[])"
# The addresses of a kind are all inside the list's ranges or all outside, so that any one of them stands for it:
# told apart one by one they may be as many as the requests. The window counts all kinds before the limit cuts.
_KINDS = """
    SELECT origin, {path} AS path, {ip}, {counts}, sum(count(*)) OVER ()
    {of_key} GROUP BY {told_apart_by} ORDER BY n DESC LIMIT %(limit)s
"""
_ADDRESSES = """
    SELECT host(ip), {counts} {of_key} AND origin = '' AND NOT {in_ranges}
    GROUP BY ip ORDER BY n DESC, ip LIMIT %(limit)s
"""


class TooManyRecords(Exception):
    """The key's records of the period cannot be looked through in the time that a page may take."""


@dataclass(frozen=True, slots=True)
class SeenRequests:
    """`kinds` of requests, most frequent first, and how many requests (`n`) they and those left out are together."""

    kinds: list[Seen]
    n: int

    @property
    def n_left_out(self) -> int:
        return self.n - sum(kind.n for kind in self.kinds)


def seen_requests(*, key: ApiKey, since: datetime, restrictions: Restrictions) -> SeenRequests:
    """The requests of `key` from `since` on that `restrictions` would decide about. Raises TooManyRecords.

    Paths are told apart only for a list that asks for them.
    """
    asks_path = any(pattern.paths is not None for pattern in restrictions.patterns)
    sql = _KINDS.format(
        path="page_path" if asks_path else "''",
        ip="host(min(ip))" if restrictions.ip_ranges else "''",
        counts=_COUNTS,
        of_key=_OF_KEY,
        told_apart_by=f"origin, path, {_IN_RANGES}" if restrictions.ip_ranges else "origin, path",
    )
    rows = _rows(sql, key, since, restrictions, limit=MAX_KINDS)
    return SeenRequests([Seen(*row[:6]) for row in rows], int(rows[0][6]) if rows else 0)


def addresses_refused(*, key: ApiKey, since: datetime, restrictions: Restrictions, limit: int) -> list[Source]:
    """The addresses with most requests among those outside the ranges of `restrictions` that named no origin.

    They are refused where the list lets no such request pass. Raises TooManyRecords.
    """
    sql = _ADDRESSES.format(counts=_COUNTS, of_key=_OF_KEY, in_ranges=_IN_RANGES)
    rows = _rows(sql, key, since, restrictions, limit=limit)
    return [Source("", ip, n, n, n_refused, last_at) for ip, n, n_refused, last_at in rows]


def _rows(sql: str, key: ApiKey, since: datetime, restrictions: Restrictions, *, limit: int) -> list[tuple[Any, ...]]:
    parameters: dict[str, Any] = {
        "account": key.account_id,
        "key": key.pk,
        "since": since,
        "outcomes": _LIST_DECIDES,
        "refused": _REFUSED,
        "ranges": _as_text(restrictions.ip_ranges),
        "limit": limit,
    }
    with _bounded(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _as_text(ranges: tuple[IPv4Network | IPv6Network, ...]) -> list[str]:
    """As few as cover the same: each record is held against each."""
    v4 = collapse_addresses(one for one in ranges if isinstance(one, IPv4Network))
    v6 = collapse_addresses(one for one in ranges if isinstance(one, IPv6Network))
    return [*map(str, v4), *map(str, v6)]


@contextmanager
def _bounded() -> Iterator[None]:
    """Gives up what takes too long, so that no page hangs and no question keeps the database busy.

    With memory to count by hash: sorting a million records on disk takes twice as long.
    """
    limits = {"statement_timeout": f"{TIMEOUT / timedelta(milliseconds=1):.0f}", "work_mem": "64MB", "jit": "off"}
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS s (name, value)",
                    [list(limits), list(limits.values())],
                )
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooManyRecords from error
        raise
