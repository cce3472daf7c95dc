"""What the schedule asks of accounts: forget what is a year old."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from accounts.audit import audit_forget
from goongdash.lib.clock import utc_now


@shared_task(name="accounts.forget_audit")
def forget_audit() -> int:
    return audit_forget(before=utc_now() - timedelta(days=settings.AUDIT_RETENTION_DAYS))
