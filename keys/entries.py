"""The restriction list as a customer types it: each entry with what it stands for, or why it cannot be used. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keys.advice import Advice, entry_advice
from keys.coverage import Coverage, coverage_of
from keys.errors import RestrictionError
from keys.patterns import UrlPattern
from keys.restrictions import RestrictionEntry, entry_text, parse_entry

_MAX_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as typed; `error` is None where it can be used."""

    text: str
    parsed: RestrictionEntry | None = None
    error: RestrictionError | None = None

    @property
    def saved_as(self) -> str:
        return "" if self.parsed is None else entry_text(self.parsed)

    @property
    def is_site(self) -> bool:
        return isinstance(self.parsed, UrlPattern)

    @property
    def coverage(self) -> Coverage:
        """What it lets pass and what it does not, in examples."""
        return Coverage() if self.parsed is None else coverage_of(self.parsed)

    @property
    def advice(self) -> list[Advice]:
        """What looks like a mistake in it, whatever else is on the list."""
        return [] if self.parsed is None else entry_advice(self.parsed)

    @property
    def at_fault(self) -> str:
        """The part at fault, fit to be quoted; empty where it is the whole entry or nothing to be seen."""
        if self.error is None or self.error.fragment in ("", " ", self.text):
            return ""
        fragment = self.error.fragment
        if not fragment.isprintable() or fragment.isspace():
            return " ".join(f"U+{ord(character):04X}" for character in fragment[:4])
        return fragment if len(fragment) <= _MAX_QUOTED else fragment[:_MAX_QUOTED] + "…"


def entry_read(text: str) -> Entry:
    """What one entry stands for, the spaces around it left out. An empty one stands for nothing."""
    text = text.strip()
    if not text:
        return Entry("")
    try:
        return Entry(text, parsed=parse_entry(text))
    except RestrictionError as error:
        return Entry(text, error=error)


def entries_read(texts: Iterable[str]) -> list[Entry]:
    """The entries of a list, in its order; a text of several lines is several entries, an empty line none."""
    lines = (line.strip() for text in texts for line in text.splitlines())
    return [entry_read(line) for line in lines if line]
