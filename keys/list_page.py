"""What the key list's templates are given, on the page itself and beside a dialog that has changed a key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.examples import curl_line
from keys.list_query import SORTS, STATES, TYPES, KeyListQuery
from keys.rows import key_rows
from keys.selectors import keys_found, keys_of

PAGE_SIZE = 50
# The filters show when there are more keys than one sees at a glance.
N_KEYS_WITHOUT_FILTERS = 5


def list_context(account: Account, query: KeyListQuery, *, new_id: int | None = None) -> dict[str, Any]:
    now = utc_now()
    page = Paginator(keys_found(account, query, now=now), PAGE_SIZE).get_page(query.page)
    n_keys = keys_of(account).count() if query.is_filtered else page.paginator.count
    return {
        "page": page,
        "rows": key_rows(page, now=now, new_id=new_id),
        "query": query,
        "older": query.at(page.number + 1).text,
        "newer": query.at(page.number - 1).text,
        "n_keys": n_keys,
        "has_filters": query != KeyListQuery() or n_keys > N_KEYS_WITHOUT_FILTERS,
        "filters": {"type": TYPES, "state": STATES, "sort": SORTS},
        "curl": curl_line(gate_url=settings.GATE_PUBLIC_URL, key_type="rest", key_text="YOUR_KEY"),
    }
