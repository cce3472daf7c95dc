"""Notes when keys were last used. The rollup, which knows, calls it in the transaction of its sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

# In the order of keys, so that two rollups never wait for each other. What is older than what is known changes
# nothing, and so does a key that is gone.
_NOTE = """
    INSERT INTO keys_keyuse AS known (key_id, used_at, origin, ip)
    SELECT k.id, new.used_at, new.origin, new.ip
    FROM ({uses}) AS new (key_id, used_at, origin, ip)
    JOIN keys_apikey AS k ON k.id = new.key_id ORDER BY k.id
    ON CONFLICT (key_id) DO UPDATE SET used_at = excluded.used_at, origin = excluded.origin, ip = excluded.ip
    WHERE known.used_at < excluded.used_at
"""
_USES = """
    SELECT * FROM unnest(%(keys)s::bigint[], %(times)s::timestamptz[], %(origins)s::text[], %(addresses)s::inet[])
"""


class LastUse(NamedTuple):
    """When a key was let pass, to the minute, from which origin (empty: none was named) and address."""

    key_id: int
    used_at: datetime
    origin: str
    ip: str


def key_uses_note(uses: Iterable[LastUse]) -> None:
    """Keeps the later of what is known and of `uses`, which names each key once. Safe to run twice."""
    columns = [list(column) for column in zip(*uses, strict=True)]
    if columns:
        key_uses_note_selected(_USES, dict(zip(("keys", "times", "origins", "addresses"), columns, strict=True)))


def key_uses_note_selected(query: str, parameters: Mapping[str, Any]) -> None:
    """The same of what a query of the caller's own finds, whose rows are like `LastUse`."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE.format(uses=query), parameters)
