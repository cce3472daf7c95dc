"""Reads keys and services."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import Account
from keys.models import ApiKey, Service, Unit
from keys.vault import lookup_digest


def keys_of(account: Account, *, search: str = "") -> QuerySet[ApiKey]:
    """The keys of `account` that are not deleted, newest first, with their restrictions.

    `search` is looked for, without case, in the name, the description and the part of the key that lists show.
    """
    keys = ApiKey.objects.filter(account=account, revoked_at=None).prefetch_related("restrictions")
    if not search:
        return keys
    return keys.filter(Q(name__icontains=search) | Q(description__icontains=search) | Q(masked_text__icontains=search))


def all_keys_of(account: Account) -> QuerySet[ApiKey]:
    """Every key that `account` ever had, deleted ones included, newest first."""
    return ApiKey.objects.filter(account=account)


def services() -> QuerySet[Service]:
    return Service.objects.order_by("position")


def services_to_choose() -> QuerySet[Service]:
    """What a key can be held to: services of their own, not the parts of a map load, which come along with it."""
    return services().exclude(unit=Unit.NONE)


def key_by_reference(reference: str) -> ApiKey | None:
    """The key with that id or that text."""
    if reference.isdecimal() and len(reference) < 16:
        return ApiKey.objects.filter(pk=int(reference)).first()
    return ApiKey.objects.filter(lookup_digest=lookup_digest(reference)).first()
