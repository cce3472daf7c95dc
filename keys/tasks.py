"""What the schedule asks of keys: forget those whose deletion can no longer be undone, tell of those that expire."""

from __future__ import annotations

from celery import shared_task

from goongdash.lib.clock import utc_now
from keys.deletion import keys_forget
from keys.expiry_notices import expiries_tell


@shared_task(name="keys.forget_deleted")
def forget_deleted() -> int:
    return keys_forget(now=utc_now())


@shared_task(name="keys.tell_expiries")
def tell_expiries() -> int:
    return expiries_tell(now=utc_now())
