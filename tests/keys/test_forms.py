from __future__ import annotations

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from keys.forms import KeyForm, KeySearchForm


def bound(**values: str | list[str]) -> KeyForm:
    data = QueryDict(mutable=True)
    for name, value in {"key_type": "rest", "name": "Storefront", **values}.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return KeyForm(data)


def test_form_cleans_to_the_arguments_of_key_create() -> None:
    form = bound(restrictions=["example.com", "203.0.113.7"])
    assert form.is_valid()
    assert form.cleaned_data == {
        "key_type": "rest",
        "name": "Storefront",
        "description": "",
        "restrictions": ["example.com", "203.0.113.7"],
        "allows_no_origin": False,
    }


def test_new_form_chooses_a_rest_key_and_lists_nothing() -> None:
    form = KeyForm()
    assert form["key_type"].value() == "rest"
    assert form.entries == []
    assert form.errors == {}


def test_lines_are_entries_and_empty_ones_are_left_out() -> None:
    form = bound(restrictions=["a.example.com\r\n\n b.example.com ", "", "  "])
    assert form.is_valid()
    assert form.cleaned_data["restrictions"] == ["a.example.com", "b.example.com"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["a b"], "One entry of the list cannot be used, for the reason shown there."),
        (["a b", "example.com", "c d"], "2 entries of the list cannot be used, for the reason shown there."),
        (["example.com"] * 201, "A key takes at most 200 entries; these are 201."),
    ],
)
def test_list_that_cannot_be_used_says_how_much_of_it(entries: list[str], message: str) -> None:
    form = bound(restrictions=entries)
    assert form.errors == {"restrictions": [message]}
    assert [entry.text for entry in form.entries] == entries


def test_list_as_long_as_allowed_is_taken() -> None:
    assert bound(restrictions=[f"s{n}.example.com" for n in range(200)]).is_valid()


@given(st.lists(st.text()))
def test_any_text_is_taken_or_refused_in_words(entries: list[str]) -> None:
    form = bound(restrictions=entries)
    assert form.is_valid() != bool(form.errors)
    assert all((entry.error is None) == (entry.parsed is not None) for entry in form.entries)


@pytest.mark.parametrize(("query", "text"), [("q= shop ", "shop"), ("", ""), ("q=%00", ""), (f"q={'x' * 101}", "")])
def test_search_is_a_short_text_or_none(query: str, text: str) -> None:
    assert KeySearchForm(QueryDict(query)).text == text
