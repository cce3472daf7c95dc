"""What the schedule asks of accounts: change plans, mail notices, forget what is a year old."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from accounts.audit import audit_forget
from accounts.notice_mails import notices_mail
from accounts.notices import MAIL_TASK, notices_forget
from accounts.services import plans_change_due
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of


@shared_task(name="accounts.forget_audit")
def forget_audit() -> int:
    return audit_forget(before=utc_now() - timedelta(days=settings.AUDIT_RETENTION_DAYS))


@shared_task(name="accounts.change_plans")
def change_plans() -> int:
    return plans_change_due(today=day_of(utc_now(), settings.BILLING_ZONE))


@shared_task(name=MAIL_TASK)
def mail_notices() -> int:
    return notices_mail()


@shared_task(name="accounts.forget_notices")
def forget_notices() -> int:
    return notices_forget(before=utc_now() - timedelta(days=settings.NOTICE_RETENTION_DAYS))
