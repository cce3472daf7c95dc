"""A key's snapshot for tests of pure modules; change it with `dataclasses.replace`."""

from __future__ import annotations

from gate.snapshot import Credit, KeySnapshot
from keys.restrictions import Restrictions

SNAPSHOT = KeySnapshot(
    key_id=7,
    account_id=3,
    type="rest",
    is_revoked=False,
    is_disabled=False,
    expires_at_us=None,
    restrictions=Restrictions(),
    rate_limit=5,
    rate_window_s=1,
    requests_per_day=1_000,
    requests_per_month=30_000,
    map_loads_per_month=1_000,
    prices={6: 5_000, 15: 7_000},
    credit=Credit(202611, 100_000_000, 202612, 100_000_000),
)
