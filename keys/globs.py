"""Wildcard texts: the sets of strings that a `*` pattern stands for, asked with `text in glob`.

Everything is computed when the glob is made. Asking is a walk from left to right that never goes back, so it
stays linear; `str.find` is (two-way search) for texts past 2,500 characters and bounded below that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class TextSet(Protocol):
    """A set of strings that can only be asked; a frozenset is one."""

    def __contains__(self, text: str, /) -> bool: ...


class Everything:
    """Every text."""

    __slots__ = ()

    def __contains__(self, text: str) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Glob:
    """Texts that begin with `prefix`, end with `suffix` and have `middles` in between, in this order."""

    prefix: str
    middles: tuple[str, ...]
    suffix: str

    def __contains__(self, text: str) -> bool:
        start, end = len(self.prefix), len(text) - len(self.suffix)
        if start > end or not (text.startswith(self.prefix) and text.endswith(self.suffix)):
            return False
        for middle in self.middles:
            found = text.find(middle, start, end)
            if found < 0:
                return False
            start = found + len(middle)
        return True


def glob_parse(text: str) -> TextSet:
    """The texts that `text` stands for, each `*` in it being any run of characters, or none."""
    first, *pieces = text.split("*")
    if not pieces:
        return frozenset({text})
    *middles, last = pieces
    middles = [middle for middle in middles if middle]
    if not (first or middles or last):
        return Everything()
    return Glob(first, tuple(middles), last)
