"""Operators' view of usage: read-only."""

from __future__ import annotations

from django.contrib import admin

from accounts.readonly_admin import ReadOnlyAdmin
from stats.models import DailyOriginUsage, DailyUsage, HourlyUsage, MinuteUsage, ShardCursor, UsageRecord


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    list_display = (
        "at",
        "account",
        "key",
        "service",
        "outcome",
        "units",
        "cost_micro_usd",
        "origin",
        "would_refuse",
        "request_id",
    )
    list_filter = ("outcome", "would_refuse", "service", "at")
    list_select_related = ("account", "key", "service")
    search_fields = ("request_id", "ip", "origin", "account__name")
    search_help_text = "A request id, an IP address, an origin or an account's name."
    ordering = ("-at",)


class UsageSumAdmin(ReadOnlyAdmin):
    list_filter = ("outcome", "service")
    list_select_related = ("account", "key", "service")
    search_fields = ("account__name", "key__name")


@admin.register(MinuteUsage)
class MinuteUsageAdmin(UsageSumAdmin):
    list_display = ("minute_at", "account", "key", "service", "outcome", "n_requests", "units", "cost_micro_usd")
    ordering = ("-minute_at",)


@admin.register(HourlyUsage)
class HourlyUsageAdmin(UsageSumAdmin):
    list_display = ("hour_at", "account", "key", "service", "outcome", "n_requests", "units", "cost_micro_usd")
    ordering = ("-hour_at",)


@admin.register(DailyUsage)
class DailyUsageAdmin(UsageSumAdmin):
    list_display = ("day_on", "account", "key", "service", "outcome", "n_requests", "units", "cost_micro_usd")
    ordering = ("-day_on",)


@admin.register(DailyOriginUsage)
class DailyOriginUsageAdmin(UsageSumAdmin):
    list_display = ("day_on", "account", "key", "service", "outcome", "origin", "country", "n_requests", "units")
    search_fields = ("account__name", "key__name", "origin")  # type: ignore[assignment]
    ordering = ("-day_on",)


@admin.register(ShardCursor)
class ShardCursorAdmin(ReadOnlyAdmin):
    list_display = ("shard", "stream_id", "n_records", "n_rolled_up", "n_lost", "n_unreadable", "ingested_at")
