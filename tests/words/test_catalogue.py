"""The Vietnamese catalogue has all that is marked, and nothing else; what is compiled is what is written."""

from __future__ import annotations

import gettext
import re
from io import BytesIO

import pytest
from babel.messages.catalog import Message

from goongdash import translations
from goongdash.translations import entries, found, is_translated, marked_in_template, stored

# %(name)s, %s, %d, {name}; a lone %% is a sign of percent.
PLACEHOLDER = re.compile(r"%%|%(?:\(\w+\))?[sd]|\{\w*\}")
HINT = "Run `make messages` and translate what it prints, in locale/vi/LC_MESSAGES/django.po."

STORED = stored()
ENTRIES = entries(STORED)


def texts(entry: Message) -> list[str]:
    return [entry.id] if isinstance(entry.id, str) else list(entry.id)


def translated(entry: Message) -> list[str]:
    return [entry.string] if isinstance(entry.string, str) else list(entry.string or ())


def key(entry: Message) -> tuple[str, str | None]:
    return texts(entry)[0], entry.context


def test_whatever_is_marked_is_in_the_catalogue() -> None:
    known = {key(entry) for entry in ENTRIES}
    assert [key(entry) for entry in entries(found()) if key(entry) not in known] == [], HINT


def test_the_catalogue_holds_nothing_that_is_marked_no_more() -> None:
    marked = {key(entry) for entry in entries(found())}
    assert [key(entry) for entry in ENTRIES if key(entry) not in marked] == [], HINT


def test_nothing_is_commented_out() -> None:
    assert not STORED.obsolete
    assert "#~" not in translations.PO.read_text()


def test_everything_is_translated_and_no_guess_is_left() -> None:
    assert [texts(entry)[0] for entry in ENTRIES if not is_translated(entry)] == [], HINT


def test_translations_name_the_same_placeholders() -> None:
    wrong = []
    for entry in filter(is_translated, ENTRIES):
        # The plural: with one form for all numbers, none may be left out.
        wanted = sorted(PLACEHOLDER.findall(texts(entry)[-1]))
        wrong += [text for text in translated(entry) if sorted(PLACEHOLDER.findall(text)) != wanted]
    assert wrong == []


def test_translations_begin_and_end_as_what_they_translate() -> None:
    """No line break is lost, no blank is added, no mark-up is left open."""
    wrong = []
    for entry in filter(is_translated, ENTRIES):
        for text in translated(entry):
            same = [
                (text != text.strip()) == (texts(entry)[0] != texts(entry)[0].strip()),
                sorted(re.findall(r"</?\w+>", text)) == sorted(re.findall(r"</?\w+>", texts(entry)[0])),
            ]
            wrong += [] if all(same) else [text]
    assert wrong == []


def test_what_is_compiled_is_what_is_written() -> None:
    with translations.MO.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    written = gettext.GNUTranslations(BytesIO(translations.compiled(STORED)))
    assert vars(compiled)["_catalog"] == vars(written)["_catalog"], HINT


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        ('{% translate "It’s (not) 5% )" %}', ("It’s (not) 5%% )", None)),
        ("{% translate 'May' context 'month' %}", ("May", "month")),
        (
            '{% blocktranslate with a=b.c %}Hello {{ a }} (it\'s "you"){% endblocktranslate %}',
            ('Hello %(a)s (it\'s "you")', None),
        ),
        (
            "{% blocktranslate count n=x %}{{ n }} key{% plural %}{{ n }} keys{% endblocktranslate %}",
            (("%(n)s key", "%(n)s keys"), None),
        ),
        ('{% include "a.html" with title=_("Keys") icon="key" %}', ("Keys", None)),
        ('{{ label|default:_("Copy") }}', ("Copy", None)),
    ],
)
def test_templates_are_read_as_django_reads_them(source: str, marked: translations.Marked) -> None:
    assert list(marked_in_template(source)) == [marked]
