"""What the URL of the notice page asks for. Asks no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class NoticeFilters:
    """`before` is the cursor: the id of the last notice on the page before, 0 on the first page."""

    is_unread: bool = False
    before: int = 0

    @classmethod
    def of(cls, query: Mapping[str, str]) -> NoticeFilters:
        """What cannot be read is as if it were not there: such a URL was made by nobody's page."""
        before = query.get("before", "")
        is_number = before.isascii() and before.isdecimal() and len(before) < 19
        return cls(is_unread="unread" in query, before=int(before) if is_number else 0)

    def url(self, *, before: int = 0) -> str:
        query = {"unread": 1} if self.is_unread else {}
        if before:
            query["before"] = before
        return reverse("notices:list") + (f"?{urlencode(query)}" if query else "")

    @property
    def newest_url(self) -> str:
        return self.url()
