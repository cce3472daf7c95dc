"""Reads keys and services."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import assert_never

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Upper
from django.shortcuts import get_object_or_404

from accounts.models import Account
from keys.list_query import KeyListQuery, KeySort, StateFilter
from keys.models import ApiKey, Service, Unit
from keys.vault import lookup_digest

# What a key's page shows of it, besides its own row.
_LISTS = ("restrictions", "services", "blocked_origins")
SOON = timedelta(days=30)
# What came before a key and comes after it, and what no list shows of any of them.
ROTATIONS = ("rotation__new", "rotated_from__old")
TEXTS = tuple(
    f"{whose}{field}"
    for whose in ("", *(f"{name}__" for name in ROTATIONS))
    for field in ("ciphertext", "lookup_digest")
)

_NAMED = ("name", "revoked_at", "created_at", "lineage")

_ORDER = {
    KeySort.NEWEST: (F("created_at").desc(), F("id").desc()),
    KeySort.OLDEST: (F("created_at").asc(), F("id").asc()),
    KeySort.NAME: (Upper("name").asc(), F("id").asc()),
    KeySort.USED: (F("use__used_at").desc(nulls_last=True), F("id").desc()),
    KeySort.UNUSED: (F("use__used_at").asc(nulls_first=True), F("id").asc()),
}


def keys_of(account: Account) -> QuerySet[ApiKey]:
    """The keys of `account` that are not deleted, newest first."""
    return ApiKey.objects.filter(account=account, revoked_at=None)


def keys_found(account: Account, query: KeyListQuery, *, now: datetime) -> QuerySet[ApiKey]:
    """What the list shows of `account`'s keys, with their restrictions, services and last use, without their texts.

    The text is looked for, without case, in the name, the description and the part of the key that lists show.
    """
    keys = keys_of(account).filter(_has_state(query.state, now))
    if query.type:
        keys = keys.filter(type=query.type)
    if query.q:
        in_name, in_description = Q(name__icontains=query.q), Q(description__icontains=query.q)
        keys = keys.filter(in_name | in_description | Q(masked_text__icontains=query.q))
    keys = keys.select_related("use", *ROTATIONS).prefetch_related("restrictions", "services")
    return keys.defer(*TEXTS).order_by(*_ORDER[query.sort])


def _has_state(state: StateFilter, now: datetime) -> Q:
    match state:
        case StateFilter.ANY:
            return Q()
        case StateFilter.ACTIVE:
            return Q(disabled_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
        case StateFilter.SOON:
            return Q(disabled_at=None, expires_at__gt=now, expires_at__lte=now + SOON)
        case StateFilter.EXPIRED:
            return Q(disabled_at=None, expires_at__lte=now)
        case StateFilter.DISABLED:
            return Q(disabled_at__isnull=False)
    assert_never(state)


def all_keys_of(account: Account) -> QuerySet[ApiKey]:
    """Every key that `account` ever had, deleted ones included, newest first."""
    return ApiKey.objects.filter(account=account)


def key_to_show(account: Account, key_id: int) -> ApiKey:
    """A key of `account`, deleted or not, with all that its page shows. Raises Http404 where there is none."""
    keys = all_keys_of(account).select_related("use", "created_by", *ROTATIONS)
    keys = keys.prefetch_related(*_LISTS).defer(*TEXTS)
    return get_object_or_404(keys, pk=key_id)


def counted_ids_of(keys: Iterable[ApiKey]) -> dict[int, int]:
    """Whose counters each of `keys`, and all that are of one lineage with them, count in: by key id.

    Asks the database only where there is a lineage.
    """
    keys = list(keys)
    lineages = {key.lineage_id for key in keys if key.lineage_id is not None}
    counted_ids = {key.pk: key.counted_id for key in keys}
    if lineages:
        kin = ApiKey.objects.filter(lineage__in=lineages).order_by().values_list("pk", "lineage")
        counted_ids |= {key_id: lineage_id or key_id for key_id, lineage_id in kin}
    return counted_ids


def newest_keys(account: Account, counted_ids: Iterable[int]) -> dict[int, ApiKey]:
    """Of all keys of `account` that count under each of the ids, the newest that is not deleted, else the newest."""
    ids = list(counted_ids)
    return newest_of_lineages(all_keys_of(account).filter(Q(pk__in=ids) | Q(lineage__in=ids)).only(*_NAMED))


def newest_of_lineages(keys: Iterable[ApiKey]) -> dict[int, ApiKey]:
    """Of those of `keys` that count under the same id, the newest that is not deleted, else the newest."""
    last_is_best = sorted(keys, key=lambda key: (key.revoked_at is None, key.created_at, key.pk))
    return {key.counted_id: key for key in last_is_best}


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
