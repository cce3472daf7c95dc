"""What the page of a key is asked to show: a tab, a period and a place in the history, as a URL says it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlencode

_PERIOD = re.compile(r"[a-z0-9-]{1,20}", re.ASCII)


class KeyTab(StrEnum):
    USE = "use"
    START = "start"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class KeyPageQuery:
    """`tab` None is the one that fits the key best. `period` is for the statistics to understand; empty: theirs.

    `before` is an entry of the history, of which older ones are shown; 0: the newest.
    """

    tab: KeyTab | None = None
    period: str = ""
    before: int = 0

    @property
    def text(self) -> str:
        """As the query of a URL, with nothing in it that says the default."""
        said = {"tab": self.tab, "period": self.period, "before": self.before}
        return urlencode({name: value for name, value in said.items() if value})

    def on(self, tab: KeyTab, *, before: int = 0) -> KeyPageQuery:
        """The same page on another tab, or another page of the history."""
        return replace(self, tab=tab, before=before)


def key_page_query(parameters: Mapping[str, str]) -> KeyPageQuery:
    """The query that a URL's parameters stand for; what makes no sense in them is left out."""
    tab, period, before = (parameters.get(name, "") for name in ("tab", "period", "before"))
    return KeyPageQuery(
        tab=KeyTab(tab) if tab in set(KeyTab) else None,
        period=period if _PERIOD.fullmatch(period) else "",
        before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else 0,
    )
