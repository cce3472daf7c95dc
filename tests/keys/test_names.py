from __future__ import annotations

import pytest

from keys.names import name_fault


@pytest.mark.parametrize("name", ["Shop", " Cửa hàng ", "👩‍💻 dev", "a" * 100, "<b>bold</b>"])
def test_name_that_can_be_seen_is_taken(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize(
    "name", ["", "   ", "\u200b", "\u200b \u2060", "a" * 101, "a\x01b", "\x1b[31mred", "txt\u202egnp.exe", "a\x00"]
)
def test_name_that_hides_or_plays_tricks_is_refused(name: str) -> None:
    assert name_fault(name)
