"""The Celery application, and everything that happens by the clock, in one table."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goongdash.settings")

app = Celery("goongdash")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Every task may run twice, late, or beside itself. One that waited longer than `expires` seconds is dropped:
# the next one does its work. Hours are those of BILLING_TIME_ZONE.
app.conf.beat_schedule = {
    "roll up usage": {"task": "stats.roll_up_usage", "schedule": 1.0, "options": {"expires": 5}},
    "watch spending": {"task": "billing.watch_spending", "schedule": 3.0, "options": {"expires": 10}},
    "watch usage": {"task": "stats.watch_usage", "schedule": 60.0, "options": {"expires": 50}},
    "keep partitions": {"task": "stats.keep_partitions", "schedule": 3_600.0, "options": {"expires": 3_000}},
    "forget audit": {
        "task": "accounts.forget_audit",
        "schedule": crontab(minute=47, hour=3),
        "options": {"expires": 3_000},
    },
    "change plans": {"task": "accounts.change_plans", "schedule": 30.0, "options": {"expires": 25}},
    # Those that could not be mailed as soon as they were raised.
    "mail notices": {"task": "accounts.mail_notices", "schedule": 60.0, "options": {"expires": 50}},
    "forget notices": {
        "task": "accounts.forget_notices",
        "schedule": crontab(minute=57, hour=3),
        "options": {"expires": 3_000},
    },
    "forget deleted keys": {
        "task": "keys.forget_deleted",
        "schedule": crontab(minute=37, hour=3),
        "options": {"expires": 3_000},
    },
    "tell of expiries": {"task": "keys.tell_expiries", "schedule": 600.0, "options": {"expires": 500}},
    "end rotations": {"task": "stats.end_rotations", "schedule": 60.0, "options": {"expires": 50}},
    "grant monthly credit": {
        "task": "billing.grant_monthly_credit",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 500},
    },
    "charge usage": {
        "task": "billing.charge_usage",
        "schedule": crontab(minute=7),
        "options": {"expires": 3_000},
    },
    "verify usage": {
        "task": "billing.verify_usage",
        "schedule": crontab(minute=19),
        "options": {"expires": 3_000},
    },
    "verify all usage": {
        "task": "billing.verify_all_usage",
        "schedule": crontab(minute=49, hour=4),
        "options": {"expires": 3_000},
    },
    "close past months": {
        "task": "billing.close_past_months",
        "schedule": crontab(minute=27, hour=3),
        "options": {"expires": 3_000},
    },
}
