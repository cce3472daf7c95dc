"""Notes from which origins keys were let pass. The rollup, which knows, calls it in the transaction of its sums.

Anybody can send any origin: a key keeps a bounded number of them, and further ones are added up in one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from keys.models import KeyOrigin

MAX_ORIGINS = 200

# In the order of keys and origins, so that two rollups never wait for each other. An origin that is not known, when
# there is no more room for it, becomes one of the others. Sums of an hour give way to those of a later one.
_NOTE = """
    WITH new AS (
        SELECT k.id AS key_id, n.origin, n.first_at, n.last_at, n.n_requests, n.n_hour,
               known.key_id IS NOT NULL OR n.origin = %(rest)s AS is_known
        FROM ({sums}) AS n (key_id, origin, first_at, last_at, n_requests, n_hour)
        JOIN keys_apikey AS k ON k.id = n.key_id
        LEFT JOIN keys_keyorigin AS known ON known.key_id = n.key_id AND known.origin = n.origin
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY key_id, is_known ORDER BY n_requests DESC, origin) AS rank
        FROM new
    ), room AS (
        SELECT key_id, %(room)s - (SELECT count(*) FROM keys_keyorigin AS o
                               WHERE o.key_id = new.key_id AND o.origin <> %(rest)s) AS n_free
        FROM new WHERE NOT is_known GROUP BY key_id
    ), named AS (
        SELECT key_id, CASE WHEN is_known OR rank <= n_free THEN origin ELSE %(rest)s END AS origin,
               first_at, last_at, n_requests, n_hour
        FROM ranked LEFT JOIN room USING (key_id)
    )
    INSERT INTO keys_keyorigin AS known (key_id, origin, first_seen_at, last_seen_at, n_requests, hour_at, n_hour)
    SELECT key_id, origin, min(first_at), max(last_at), sum(n_requests), %(hour_at)s::timestamptz, sum(n_hour)
    FROM named GROUP BY key_id, origin ORDER BY key_id, origin
    ON CONFLICT (key_id, origin) DO UPDATE SET
        first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
        n_requests = known.n_requests + excluded.n_requests,
        hour_at = greatest(known.hour_at, excluded.hour_at),
        n_hour = CASE WHEN known.hour_at = excluded.hour_at THEN known.n_hour + excluded.n_hour
                      WHEN known.hour_at < excluded.hour_at THEN excluded.n_hour ELSE known.n_hour END
"""
_SUMS = """
    SELECT * FROM unnest(%(key_ids)s::bigint[], %(origins)s::text[], %(first)s::timestamptz[], %(last)s::timestamptz[],
                         %(n_requests)s::bigint[], %(n_hour)s::bigint[])
"""


class OriginSum(NamedTuple):
    """Requests of a key from one origin (empty: they named none) that were let pass; `n_hour` in the hour that runs."""

    key_id: int
    origin: str
    first_at: datetime
    last_at: datetime
    n_requests: int
    n_hour: int


def key_origins_note(sums: Iterable[OriginSum], *, hour_at: datetime) -> None:
    """Adds `sums`, which name each key and origin once, to what is known. Not safe to run twice: a sum is added."""
    columns = [list(column) for column in zip(*sums, strict=True)]
    if columns:
        names = ("key_ids", "origins", "first", "last", "n_requests", "n_hour")
        key_origins_note_selected(_SUMS, dict(zip(names, columns, strict=True)), hour_at=hour_at)


def key_origins_note_selected(query: str, parameters: Mapping[str, Any], *, hour_at: datetime) -> None:
    """The same of what a query of the caller's own finds, whose rows are like `OriginSum`.

    Its parameters are named otherwise than `hour_at`, `room` and `rest`.
    """
    own: dict[str, Any] = {"hour_at": hour_at, "room": MAX_ORIGINS, "rest": KeyOrigin.OTHERS}
    with connection.cursor() as cursor:
        cursor.execute(_NOTE.format(sums=query), {**parameters, **own})
