"""The bar of a key's requests today against its limit. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from keys.limits import lower_of

_NEARLY = 80


@dataclass(frozen=True, slots=True)
class UseBar:
    """`limit` is the requests a day that the key may make; None is no limit, and no bar then."""

    key_id: int
    n_requests: int
    limit: int | None

    @property
    def tone(self) -> str:
        if self.limit is None or self.n_requests * 100 < self.limit * _NEARLY:
            return ""
        return "bad" if self.n_requests >= self.limit else "warn"


def use_bar(key_id: int, n_requests: int, *limits: int | None) -> UseBar:
    """`limits` are the key's own and its plan's: the lower one holds."""
    return UseBar(key_id, n_requests, lower_of(*limits))
