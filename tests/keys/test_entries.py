from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.coverage import Coverage
from keys.entries import entries_read, entry_read


@pytest.mark.parametrize(
    ("typed", "saved_as", "is_site"),
    [
        ("  EXAMPLE.com ", "http*://example.com/*", True),
        ("https://example.com:443/*", "https://example.com/*", True),
        ("203.0.113.7", "203.0.113.7", False),
        ("203.0.113.7/32", "203.0.113.7", False),
        ("2001:DB8::/32", "2001:db8::/32", False),
    ],
)
def test_entry_says_what_it_is_saved_as(typed: str, saved_as: str, is_site: bool) -> None:
    entry = entry_read(typed)
    assert (entry.saved_as, entry.is_site, entry.error) == (saved_as, is_site, None)


def test_entry_with_a_real_path_names_the_one_without() -> None:
    [advice] = entry_read("https://example.com/shop/*").advice
    assert advice.offer == "https://example.com/*"
    assert entry_read(advice.offer).advice == []


@pytest.mark.parametrize("typed", ["", "a b", "example.com", "https://example.com/", "10.0.0.1"])
def test_entry_without_a_likely_mistake_is_not_warned_of(typed: str) -> None:
    assert entry_read(typed).advice == []


@pytest.mark.parametrize("typed", ["", "a b"])
def test_what_cannot_be_used_covers_nothing(typed: str) -> None:
    assert entry_read(typed).coverage == Coverage()


@pytest.mark.parametrize(
    ("typed", "part", "at_fault"),
    [
        ("https://user@example.com/x", "host", "user@example.com"),
        ("https://example.com:x/", "port", "x"),
        ("10.0.0.0/99", "prefix", "99"),
        ("exa\x00mple.com", "pattern", "U+0000"),
        ("exa mple.com", "pattern", ""),
        ("exa\u00a0mple.com", "pattern", "U+00A0"),
        ("https://" + "é!" * 100, "host", "é!" * 30 + "…"),
    ],
)
def test_part_at_fault_can_be_quoted(typed: str, part: str, at_fault: str) -> None:
    entry = entry_read(typed)
    assert entry.error is not None
    assert (entry.error.part, entry.at_fault) == (part, at_fault)


def test_lists_keep_their_order() -> None:
    entries = entries_read(["b.example.com\na.example.com", "", "c c"])
    assert [entry.text for entry in entries] == ["b.example.com", "a.example.com", "c c"]


@given(st.text())
def test_what_an_entry_is_saved_as_stands_for_itself(typed: str) -> None:
    saved_as = entry_read(typed).saved_as
    assert entry_read(saved_as).saved_as == saved_as
