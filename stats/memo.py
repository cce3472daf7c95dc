"""What is made of a text, kept for the next time that it comes. Pure.

`map(memo.__getitem__, texts)` runs without a step of Python for texts that came before, unlike a call of a cached
function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Memo(dict[bytes, V], Generic[V]):
    """Texts and what `make` made of them; when there are `room` of them, all are forgotten. What it raises passes."""

    def __init__(self, make: Callable[[bytes], V], *, room: int) -> None:
        super().__init__()
        self._make = make
        self._room = room

    def __missing__(self, text: bytes) -> V:
        made = self._make(text)
        if len(self) >= self._room:
            self.clear()
        self[text] = made
        return made
