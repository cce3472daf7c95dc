"""What the templates of a key's page are given, on the page itself and beside a dialog that has changed the key.

What is made of usage (its chart, origins, refusals) comes right after, as fragments of the statistics: so the keys
import nothing of them, the page is there at once, and a slow count delays only itself.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit_log import audit_of, changes_in_words
from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.key_query import KeyPageQuery, KeyTab
from keys.models import ApiKey, KeyState
from keys.rows import KeyRow, key_row
from keys.selectors import key_to_show
from keys.snippets import Caution, Snippet, snippets

HISTORY_SIZE = 20

# Names of products are the same in every language.
SNIPPET_LABELS = {
    "curl": "curl",
    "goong-sdk": "goong-sdk (Node.js)",
    "fetch": gettext_lazy("Web page"),
    "python": "Python",
    "goong-js": "goong-js",
    "maplibre": "MapLibre",
}
CAUTIONS = {
    Caution.NONE: "",
    Caution.NEEDS_ADDRESS: gettext_lazy(
        "This key is restricted to web sites, and a server names none: add the server’s IP address first."
    ),
    Caution.FROM_ADDRESS: gettext_lazy("Run it on a machine whose IP address is among the key’s restrictions."),
    Caution.NEEDS_SITE: gettext_lazy("This key is restricted to IP addresses: add your web site first."),
    Caution.FROM_SITE: gettext_lazy("Put it on a web site that is among the key’s restrictions."),
}


def key_context(account: Account, key_id: int, query: KeyPageQuery) -> dict[str, Any]:
    """Raises Http404 for a key that is not the account's. A deleted one has its page too."""
    key = key_to_show(account, key_id)
    row = key_row(key, now=utc_now())
    tab = _tab(row, query)
    return {
        "key": key,
        "row": row,
        "query": query,
        "tab": tab,
        "tabs": [(each, label, query.on(each).text) for each, label in _labels(row).items()],
        "is_deleted": row.state == KeyState.REVOKED,
        **_of_tab(account, row, tab, query),
    }


def _labels(row: KeyRow) -> dict[KeyTab, str]:
    """The tabs that the key has; a deleted one has nothing to start with."""
    start = {} if row.state == KeyState.REVOKED else {KeyTab.START: _("Quick start")}
    return {KeyTab.USE: _("Use"), **start, KeyTab.HISTORY: _("History")}


def _tab(row: KeyRow, query: KeyPageQuery) -> KeyTab:
    if query.tab in _labels(row):
        assert query.tab is not None  # noqa: S101 — None is no label.
        return query.tab
    is_to_start = row.use is None and row.state == KeyState.ACTIVE
    return KeyTab.START if is_to_start else KeyTab.USE


def _of_tab(account: Account, row: KeyRow, tab: KeyTab, query: KeyPageQuery) -> dict[str, Any]:
    match tab:
        case KeyTab.START:
            return {
                "snippets": [(each, SNIPPET_LABELS[each.name], CAUTIONS[each.caution]) for each in _snippets(row.key)]
            }
        case KeyTab.HISTORY:
            return _history(account, row.key, query)
        case KeyTab.USE:
            return {}


def _snippets(key: ApiKey) -> list[Snippet]:
    return snippets(
        gate_url=settings.GATE_PUBLIC_URL,
        key_type=key.type,
        key_text=key.masked_text,
        restrictions=[restriction.text for restriction in key.restrictions.all()],
        allows_no_origin=key.allows_no_origin,
        services=[service.slug for service in key.services.all()],
    )


def _history(account: Account, key: ApiKey, query: KeyPageQuery) -> dict[str, Any]:
    entries = audit_of(account, "key", key.pk)
    if query.before:
        entries = entries.filter(pk__lt=query.before)
    found = list(entries[: HISTORY_SIZE + 1])
    shown = found[:HISTORY_SIZE]
    has_older = len(found) > HISTORY_SIZE
    return {
        "history": [(entry, changes_in_words(entry)) for entry in shown],
        "older": query.on(KeyTab.HISTORY, before=shown[-1].pk).text if has_older else "",
        "newest": query.on(KeyTab.HISTORY).text if query.before else "",
    }
