"""Usage as it is kept: raw records, their sums by minute, hour, day and origin, and how far ingest and rollup came.

Records and minutes are partitioned by day, hours by month (stats/partitions.py); stats/retention.py says for how long.

Usage tables name accounts, keys and services without database constraints: rows arrive by COPY at the
gate's pace, and outlive what they name. Their keys begin with the account. Nothing here is edited by hand.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Account
from keys.models import ApiKey, Service
from stats.outcomes import CHOICES


def _loose(to: type[models.Model], **options: bool) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(
        to,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        **options,  # type: ignore[arg-type]
    )


class Usage(models.Model):
    """What a record and its sums have in common."""

    account = _loose(Account)
    key = _loose(ApiKey)
    service = _loose(Service, null=True)
    outcome = models.PositiveSmallIntegerField(choices=CHOICES)

    class Meta:
        abstract = True


class UsageRecord(Usage):
    """One usage event, stored. `id` is the shard's number times 2^48 plus the event's number in its shard.

    `would_refuse`: the key's list was for report only, and would have refused the request had it been enforced.
    The columns' order in the database leaves no gaps, and `service` and `cost_micro_usd` have four bytes each.
    """

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    units = models.PositiveSmallIntegerField()
    cost_micro_usd = models.PositiveIntegerField()
    ip = models.GenericIPAddressField()
    origin = models.CharField(max_length=255, blank=True)
    country = models.CharField(
        max_length=2, blank=True, db_default="", help_text="Of the address; empty where nobody knows."
    )
    request_id = models.UUIDField()
    page_path = models.CharField(max_length=255, blank=True, db_default="")
    would_refuse = models.BooleanField(db_default=False)

    class Meta:
        # Its migrations make the table in SQL: Django knows no partitions, and there is no index for uniqueness.
        db_table = "stats_usagerecord"

    def __str__(self) -> str:
        return str(self.request_id)


class UsageSum(Usage):
    """The sums of one period for one key, service and outcome."""

    id = models.BigAutoField(primary_key=True)
    n_requests = models.BigIntegerField()
    units = models.BigIntegerField()
    cost_micro_usd = models.BigIntegerField()

    class Meta:
        abstract = True


class MinuteUsage(UsageSum):
    """Sums of one minute."""

    minute_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "minute_at", "key", "service", "outcome"],
                name="minuteusage_once",
                nulls_distinct=False,
            )
        ]
        verbose_name_plural = "minute usage"

    def __str__(self) -> str:
        return f"{self.minute_at:%Y-%m-%d %H:%M}"


class HourlyUsage(UsageSum):
    """Sums of one hour, which begins on a full hour of the installation's zone."""

    hour_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "hour_at", "key", "service", "outcome"],
                name="hourlyusage_once",
                nulls_distinct=False,
            )
        ]
        verbose_name_plural = "hourly usage"

    def __str__(self) -> str:
        return f"{self.hour_at:%Y-%m-%d %H:%M}"


class DailyUsage(UsageSum):
    """Sums of one day of the installation's zone."""

    day_on = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "day_on", "key", "service", "outcome"],
                name="dailyusage_once",
                nulls_distinct=False,
            )
        ]
        verbose_name_plural = "daily usage"

    def __str__(self) -> str:
        return f"{self.day_on}"


class DailyOriginUsage(UsageSum):
    """The sums of one day once more, cut by origin and country as well. They add up to those of `DailyUsage`.

    Anybody can name any origin: beyond the first so many of a key's day (stats/rollups.py), the others share one
    `origin`, null. Empty is a request that named none.
    """

    day_on = models.DateField()
    origin = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 — null is no text that comes.
    country = models.CharField(max_length=2, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "day_on", "key", "origin", "country", "service", "outcome"],
                name="dailyoriginusage_once",
                nulls_distinct=False,
            )
        ]
        verbose_name_plural = "daily origin usage"

    def __str__(self) -> str:
        return f"{self.day_on} {self.origin}"


class ShardCursor(models.Model):
    """How far one shard has come: read from the stream, stored as records, added to the rollups.

    `stream_id` is the last entry whose records are committed. `n_said` is the running number that the next
    entry must carry: a higher one means that events were lost on the way (`n_lost` counts them), a lower one
    that the store was emptied. `n_unreadable` counts entries put aside, whose events are among the lost as soon
    as the next entry tells. `n_records` numbers the records; those up to `n_rolled_up` are in the rollups, and of
    the others none is older than `new_since`, nor stored before `waiting_since`.
    """

    shard = models.PositiveSmallIntegerField(primary_key=True)
    stream_id = models.CharField(max_length=50, default="0-0")
    n_said = models.BigIntegerField(default=0)
    n_lost = models.BigIntegerField(default=0)
    n_unreadable = models.BigIntegerField(default=0)
    n_records = models.BigIntegerField(default=0)
    n_rolled_up = models.BigIntegerField(default=0)
    new_since = models.DateTimeField(null=True)
    waiting_since = models.DateTimeField(null=True)
    ingested_at = models.DateTimeField(null=True)
    rolled_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(n_rolled_up__lte=models.F("n_records")),
                name="cursor_rollup_behind_records",
            )
        ]

    def __str__(self) -> str:
        return f"shard {self.shard}"
