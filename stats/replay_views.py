"""The replay of a key's past requests against its restriction list as it is typed in the dialog."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from goongdash.lib.clock import utc_now
from keys.entries import entries_read
from keys.models import ApiKey, RestrictionsMode
from keys.restrictions import Restrictions
from keys.selectors import keys_of
from keys.services import MAX_RESTRICTIONS
from stats.restriction_replay import replay
from stats.seen_requests import TooManyRecords, addresses_refused, seen_requests

N_DAYS, N_DAYS_FEWER = 7, 1
# So many sources are shown; of the others, how many they are.
MAX_HIT, MAX_PASSING, MAX_ADDRESSES = 20, 10, 5


@require_POST
@never_cache
@requires(Permission.CHANGE_KEYS)
def key_replay(request: HttpRequest, key_id: int) -> HttpResponse:
    """What the list as typed would have refused of what the key was asked for. Stores nothing."""
    key = get_object_or_404(keys_of(account_or_404(request)), pk=key_id)
    days = N_DAYS_FEWER if request.POST.get("days") == str(N_DAYS_FEWER) else N_DAYS
    return render(request, "replay/_replay.html", {"key": key, "days": days, **_replayed(key, request.POST, days)})


def _replayed(key: ApiKey, typed: QueryDict, days: int) -> dict[str, Any]:
    entries = entries_read(typed.getlist("restrictions")[: 2 * MAX_RESTRICTIONS])
    usable = [entry.parsed for entry in entries if entry.parsed is not None]
    n_unusable = len(entries) - len(usable)
    restrictions = Restrictions.of_parsed(
        usable,
        allows_no_origin="allows_no_origin" in typed,
        blocked=key.blocked_origins.values_list("host", flat=True),
    )
    told: dict[str, Any] = {
        "n_unusable": n_unusable,
        # With nothing but unusable entries, the list that is meant is not the empty one.
        "is_unusable": bool(n_unusable) and not usable,
        "is_empty": not usable,
        "is_report_only": typed.get("restrictions_mode") == RestrictionsMode.REPORT_ONLY,
        "max_hit": f":{MAX_HIT}",
        "max_passing": f":{MAX_PASSING}",
    }
    if told["is_unusable"]:
        return told
    since = utc_now() - timedelta(days=days)
    try:
        seen = seen_requests(key=key, since=since, restrictions=restrictions)
        found = replay(seen.kinds, restrictions)
        addresses = (
            addresses_refused(key=key, since=since, restrictions=restrictions, limit=MAX_ADDRESSES)
            if found.n_named_none
            else []
        )
    except TooManyRecords:
        return {**told, "is_too_much": True}
    return {
        **told,
        "seen": seen,
        "replay": found,
        "addresses": addresses,
        "n_more_hit": max(0, len(found.hit) - MAX_HIT),
        "n_more_passing": max(0, len(found.passing) - MAX_PASSING),
    }
