"""What the key list is asked to show: a search, filters, an order and a page, as a URL says it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

MAX_SEARCH = 100


class StateFilter(StrEnum):
    ANY = ""
    ACTIVE = "active"
    SOON = "soon"
    EXPIRED = "expired"
    DISABLED = "disabled"


class TypeFilter(StrEnum):
    ANY = ""
    REST = "rest"
    TILES = "tiles"


class KeySort(StrEnum):
    NEWEST = ""
    OLDEST = "oldest"
    NAME = "name"
    USED = "used"
    UNUSED = "unused"


Choice = TypeVar("Choice", StateFilter, TypeFilter, KeySort)

# As the page offers them.
STATES = {
    StateFilter.ANY: _("Any state"),
    StateFilter.ACTIVE: _("Active"),
    StateFilter.SOON: _("Expire within 30 days"),
    StateFilter.EXPIRED: _("Expired"),
    StateFilter.DISABLED: _("Disabled"),
}
TYPES = {TypeFilter.ANY: _("Any type"), TypeFilter.REST: _("API keys"), TypeFilter.TILES: _("Map tiles keys")}
SORTS = {
    KeySort.NEWEST: _("Newest first"),
    KeySort.OLDEST: _("Oldest first"),
    KeySort.NAME: _("By name"),
    KeySort.USED: _("Last used first"),
    KeySort.UNUSED: _("Longest unused first"),
}


@dataclass(frozen=True, slots=True)
class KeyListQuery:
    """The defaults show everything, newest first."""

    q: str = ""
    type: TypeFilter = TypeFilter.ANY
    state: StateFilter = StateFilter.ANY
    sort: KeySort = KeySort.NEWEST
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.type or self.state)

    @property
    def text(self) -> str:
        """As the query of a URL, with nothing in it that says the default: the same list has one address."""
        said = {"q": self.q, "type": self.type, "state": self.state, "sort": self.sort}
        pairs = {name: value for name, value in said.items() if value}
        return urlencode(pairs | ({"page": self.page} if self.page > 1 else {}))

    def at(self, page: int) -> KeyListQuery:
        return replace(self, page=page)


def list_query(parameters: Mapping[str, str]) -> KeyListQuery:
    """The query that a URL's parameters stand for; what makes no sense in them is left out."""
    q = parameters.get("q", "").strip()
    page = parameters.get("page", "")
    return KeyListQuery(
        q="" if len(q) > MAX_SEARCH or "\0" in q else q,
        type=_choice(TypeFilter, parameters.get("type", "")),
        state=_choice(StateFilter, parameters.get("state", "")),
        sort=_choice(KeySort, parameters.get("sort", "")),
        page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 9 and int(page) else 1,
    )


def _choice(choices: type[Choice], text: str) -> Choice:
    return choices(text) if text in set(choices) else choices("")
