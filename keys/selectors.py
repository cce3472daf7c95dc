"""Reads keys and services."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Account
from keys.models import ApiKey, Service


def keys_of(account: Account) -> QuerySet[ApiKey]:
    """The keys of `account` that are not deleted, newest first, with their restrictions."""
    return ApiKey.objects.filter(account=account, revoked_at=None).prefetch_related("restrictions")


def all_keys_of(account: Account) -> QuerySet[ApiKey]:
    """Every key that `account` ever had, deleted ones included, newest first."""
    return ApiKey.objects.filter(account=account)


def services() -> QuerySet[Service]:
    return Service.objects.order_by("position")
