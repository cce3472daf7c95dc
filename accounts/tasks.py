"""What the schedule asks of accounts: change plans whose day has come, forget what is a year old."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from accounts.audit import audit_forget
from accounts.services import plans_change_due
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of


@shared_task(name="accounts.forget_audit")
def forget_audit() -> int:
    return audit_forget(before=utc_now() - timedelta(days=settings.AUDIT_RETENTION_DAYS))


@shared_task(name="accounts.change_plans")
def change_plans() -> int:
    return plans_change_due(today=day_of(utc_now(), settings.BILLING_ZONE))
