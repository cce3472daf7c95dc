"""Tells the keys from which origins they were let pass, in the transaction of the rollup.

Apart from the sums of days by origin, which are for charts: these know the hour that runs, which alarms are about.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import connection

from goongdash.lib.clock import utc_now
from keys.models import KeyOrigin
from keys.origin_sums import MAX_ORIGINS, OriginSum, key_origins_note
from stats.outcomes import OUTCOMES, Outcome
from stats.periods import hour_of

# What names more origins than a key keeps room for is added up here, so that nobody can make the answer long. The
# parts of a map come with its load, and are no use of their own.
_SUMS = """
    WITH sums AS (
        SELECT key_id, origin, min(at) AS first_at, max(at) AS last_at, count(*) AS n_requests,
               count(*) FILTER (WHERE at >= %(hour)s) AS n_hour
        FROM stats_usagerecord
        WHERE id > %(after)s AND id <= %(through)s AND at >= %(since)s AND outcome = %(allowed)s AND units > 0
        GROUP BY key_id, origin
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY key_id ORDER BY n_requests DESC, origin) <= %(most)s AS is_named
        FROM sums
    )
    SELECT key_id, CASE WHEN is_named THEN origin ELSE %(others)s END AS origin, min(first_at), max(last_at),
           sum(n_requests)::bigint, sum(n_hour)::bigint
    FROM ranked GROUP BY 1, 2
"""


def origins_note(*, after: int, through: int, since: datetime) -> None:
    """Adds what the records with ids beyond `after` up to `through` say, none of which is older than `since`."""
    hour_at = hour_of(utc_now(), settings.BILLING_ZONE)
    parameters: dict[str, int | str | datetime] = {
        "after": after,
        "through": through,
        "since": since,
        "hour": hour_at,
        "allowed": OUTCOMES[Outcome.ALLOWED].number,
        "most": MAX_ORIGINS,
        "others": KeyOrigin.OTHERS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, parameters)
        key_origins_note((OriginSum(*row) for row in cursor.fetchall()), hour_at=hour_at)
