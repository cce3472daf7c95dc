"""A language for tests: Vietnamese in brackets. What a page shows outside of them, nobody has translated."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.utils.safestring import SafeData, mark_safe
from django.utils.translation import _trans, trans_real  # type: ignore[attr-defined]

from goongdash.translations import entries, stored
from tests.words.unmarked import ATTRIBUTES, LETTER

BEGIN, END, APART = "⟦", "⟧", "\0"
# Names, addresses, figures: the same in every language.
DATA = re.compile(
    r"""\S+@\S+|http\S*://\S+|\bexample\.com\b|\bv\d\b|\b203\.0\.113\.x|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b
    |\b(?:Goongdash|Email|English|testserver|Tiếng\ Việt|US\$|Asia/Ho_Chi_Minh)(?!\w)
    |\d{4}-\d\d-\d\dT[\d:.+]+|[Tt]háng\ \d+/\d{4}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|(?:g[rm]_\w+)?…\w+
    |\b(?:rest|free|Free|Basic|Pro|Business|Five\ People|Key\ \d+|Theirs|[a-z]+\.example)\b""",
    re.VERBOSE,
)
UNSEEN = {"script", "style", "template", "svg", "pre", "code"}


def speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for in Vietnamese comes in brackets from now on, but for what has no translation."""
    same = {entry.id for entry in entries(stored()) if entry.id == entry.string}

    def bracketed(translated: str, *texts: str) -> str:
        if not translated or trans_real.get_language() != "vi" or (translated in texts and translated not in same):
            return translated
        text = f"{BEGIN}{translated}{END}"
        return mark_safe(text) if isinstance(translated, SafeData) else text

    def wrapped(name: str, n_before: int, n_texts: int) -> None:
        real = getattr(trans_real, name)

        def translate(*args: str) -> str:
            return bracketed(real(*args), *args[n_before : n_before + n_texts])

        monkeypatch.setattr(_trans, name, translate)

    wrapped("gettext", 0, 1)
    wrapped("pgettext", 1, 1)
    wrapped("ngettext", 0, 2)
    wrapped("npgettext", 1, 2)


def untranslated(text: str) -> list[str]:
    """What a text says outside of brackets, without names and figures."""
    outside, depth = [""], 0
    for letter in text:
        if letter == BEGIN:
            depth += 1
            outside.append("")
        elif letter == APART:
            outside.append("")
        elif letter == END:
            depth -= 1
        elif not depth:
            outside[-1] += letter
    found = [DATA.sub("", each).strip() for each in outside]
    return [each for each in found if LETTER.search(each)]


def untranslated_on(page: str) -> list[str]:
    """What a page says so, in its text and where readers of screens find it."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return untranslated(APART.join(reader.texts)) + [each for text in reader.attributes for each in untranslated(text)]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.attributes: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in UNSEEN or (values.get("aria-hidden") == "true" and tag == "span"):
            self._unseen.append(tag)
        said = ATTRIBUTES | (
            {name for name in values if name.startswith("data-")} if values.get("id") == "words" else set()
        )
        self.attributes += [value for name, value in attrs if name in said and value]

    def handle_endtag(self, tag: str) -> None:
        if self._unseen and self._unseen[-1] == tag:
            self._unseen.pop()

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.texts.append(data)
