"""Reads a key's past requests as a restriction list is asked about them: those that it cannot tell apart as one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from keys.models import ApiKey
from keys.restrictions import Restrictions
from stats.outcomes import OUTCOMES, Outcome
from stats.restriction_replay import Seen

# So many kinds of requests are looked at, the most frequent ones; what they leave out is said.
MAX_KINDS = 20_000
TIMEOUT = timedelta(seconds=5)

# Only requests that the list decides about: those that passed, and those that were refused for their origin and
# nothing else. Parts of map loads are among them: a page whose style comes from a cache asks for nothing else.
_LIST_DECIDES = [OUTCOMES[outcome].number for outcome in (Outcome.ALLOWED, Outcome.ORIGIN_NOT_ALLOWED)]
_REFUSED = OUTCOMES[Outcome.ORIGIN_NOT_ALLOWED].number

# The window counts all kinds before the limit cuts them off.
_SQL = """
    SELECT origin, {path}, {ip}, count(*) AS n, count(*) FILTER (WHERE outcome = %(refused)s), max(at),
           sum(count(*)) OVER ()
    FROM stats_usagerecord
    WHERE account_id = %(account)s AND key_id = %(key)s AND at >= %(since)s AND outcome = ANY(%(outcomes)s)
    GROUP BY 1, 2, 3 ORDER BY n DESC LIMIT %(limit)s
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

    Paths are told apart only for a list that asks for them, addresses for one that has ranges; those of requests
    that named no origin always.
    """
    asks_path = any(pattern.paths is not None for pattern in restrictions.patterns)
    sql = _SQL.format(
        path="page_path" if asks_path else "''",
        ip="host(ip)" if restrictions.ip_ranges else "CASE WHEN origin = '' THEN host(ip) ELSE '' END",
    )
    parameters = {
        "account": key.account_id,
        "key": key.pk,
        "since": since,
        "outcomes": _LIST_DECIDES,
        "refused": _REFUSED,
        "limit": MAX_KINDS,
    }
    with _bounded(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    return SeenRequests([Seen(*row[:6]) for row in rows], int(rows[0][6]) if rows else 0)


@contextmanager
def _bounded() -> Iterator[None]:
    """Gives up what takes too long, so that no page hangs and no question keeps the database busy."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true)", [f"{TIMEOUT / timedelta(milliseconds=1):.0f}"]
                )
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooManyRecords from error
        raise
