"""Which notices of an expiry are due. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

DAYS_AHEAD = (30, 7, 1)


def expiry_stage(*, now: datetime, created_at: datetime, expires_at: datetime) -> int | None:
    """How many days ahead (of DAYS_AHEAD) the notice is that is due: the latest whose instant has come.

    None before the first and after the expiry. A notice whose instant was past when the key was made is none: who
    made it knew. One that was missed is not made good when the next is due.
    """
    if now >= expires_at:
        return None
    come = [days for days in DAYS_AHEAD if created_at < expires_at - timedelta(days=days) <= now]
    return min(come, default=None)


def days_until(now: datetime, expires_at: datetime) -> int:
    """Days that are left, a begun one counting."""
    return -((now - expires_at) // timedelta(days=1))
