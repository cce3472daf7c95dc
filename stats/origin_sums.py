"""Tells the keys from which origins they were let pass, in the transaction of the rollup.

Apart from the sums of days by origin, which are for charts: these know the hour that runs, which alarms are about.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from goongdash.lib.clock import utc_now
from keys.models import KeyOrigin
from keys.origin_sums import MAX_ORIGINS, key_origins_note_selected
from stats.outcomes import OUTCOMES, Outcome
from stats.periods import hour_of

# What names more origins than a key keeps room for is added up here, so that nobody can make the answer long. The
# parts of a map come with its load, and are no use of their own.
_SUMS = """
    WITH sums AS (
        SELECT key_id, origin, min(charged_from) AS first_at, max(charged_until) AS last_at,
               sum(n_charged) AS n_requests, sum(CASE WHEN minute_at >= %(hour)s THEN n_charged ELSE 0 END) AS n_hour
        FROM usage_groups WHERE outcome = %(allowed)s AND n_charged > 0 GROUP BY key_id, origin
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY key_id ORDER BY n_requests DESC, origin) <= %(most)s AS is_named
        FROM sums
    )
    SELECT key_id, CASE WHEN is_named THEN origin ELSE %(others)s END AS origin, min(first_at), max(last_at),
           sum(n_requests)::bigint, sum(n_hour)::bigint
    FROM ranked GROUP BY 1, 2
"""


def origins_note() -> None:
    """Adds what the groups of the rollup under way say."""
    hour_at = hour_of(utc_now(), settings.BILLING_ZONE)
    parameters: dict[str, int | str | datetime] = {
        "hour": hour_at,
        "allowed": OUTCOMES[Outcome.ALLOWED].number,
        "most": MAX_ORIGINS,
        "others": KeyOrigin.OTHERS,
    }
    key_origins_note_selected(_SUMS, parameters, hour_at=hour_at)
