"""Reads the filters of statistics out of a query, for the page, its export, the usage API and the command alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.http import QueryDict

from accounts.models import Account
from keys.models import ApiKey, Service
from keys.selectors import all_keys_of, counted_ids_of
from stats.forms import UsageFilters
from stats.queries import Dimension

# Of the newest; others are reached from the table of keys and from their own pages.
KEYS_TO_CHOOSE = 50


def usage_filters(
    query: QueryDict, *, account: Account, services: Sequence[Service], now: datetime, n_keys: int = KEYS_TO_CHOOSE
) -> UsageFilters:
    """The filters that `query` names; `n_keys` of the newest keys are offered to choose from. Raises Http404."""
    texts = query.getlist(Dimension.KEY)
    named = {int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19}
    keys = _keys(named, account, n_keys)
    kin = frozenset(counted_ids_of(key for key in keys if key.pk in named))
    return UsageFilters(query, keys=keys, services=services, now=now, kin=kin)


def _keys(ids: set[int], account: Account, n_newest: int) -> list[ApiKey]:
    """The newest keys, and those with these ids, deleted ones too."""
    newest = list(all_keys_of(account)[:n_newest]) if n_newest else []
    missing = ids - {key.pk for key in newest}
    return [*newest, *(all_keys_of(account).filter(pk__in=missing) if missing else [])]
