"""Reads the filters of statistics out of a query, for the page, its export, the usage API and the command alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.http import QueryDict

from accounts.models import Account
from keys.models import ApiKey, Service
from keys.selectors import all_keys_of
from stats.forms import UsageFilters
from stats.queries import Dimension

# Of the newest; others are reached from the table of keys and from their own pages.
KEYS_TO_CHOOSE = 50


def usage_filters(
    query: QueryDict, *, account: Account, services: Sequence[Service], now: datetime, n_keys: int = KEYS_TO_CHOOSE
) -> UsageFilters:
    """The filters that `query` names; `n_keys` of the newest keys are offered to choose from. Raises Http404."""
    keys = _keys(query.getlist(Dimension.KEY), account, n_keys)
    return UsageFilters(query, keys=keys, services=services, now=now)


def _keys(named: Sequence[str], account: Account, n_newest: int) -> list[ApiKey]:
    """The newest keys, and those that are named, deleted ones too."""
    ids = {int(text) for text in named if text.isascii() and text.isdecimal() and len(text) < 19}
    newest = list(all_keys_of(account)[:n_newest]) if n_newest else []
    missing = ids - {key.pk for key in newest}
    return [*newest, *(all_keys_of(account).filter(pk__in=missing) if missing else [])]
