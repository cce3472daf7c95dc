"""Wildcard texts: their edges; that they agree with the plain definition is shown in test_patterns.py."""

from __future__ import annotations

import pytest

from keys.globs import glob_parse


@pytest.mark.parametrize(
    ("glob", "text", "is_in"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("**", "a", True),
        ("a", "a", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("ab*bc", "abc", False),
        ("*ab*ab*", "aab", False),
        ("*ab*ab*", "abab", True),
        ("a**b", "ab", True),
        ("*a*b", "ab", True),
        ("*b*b", "ab", False),
        ("[a].*", "[a].", True),
        ("[a].*", "ax", False),
    ],
)
def test_text_is_in_a_glob_where_its_pieces_follow_without_overlap(glob: str, text: str, is_in: bool) -> None:
    assert (text in glob_parse(glob)) is is_in
