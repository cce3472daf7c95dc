from __future__ import annotations

import pytest

from goongdash.lib.addresses import shown_address


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("203.0.113.7", "203.0.113.x"),
        ("2001:db8:1:2::7", "2001:db8:1:x"),
        ("2001:db8::7", "2001:db8:0:x"),
        ("::1", "0:0:0:x"),
        ("unknown", "unknown"),
    ],
)
def test_address_is_shown_without_what_tells_callers_apart(text: str, shown: str) -> None:
    assert shown_address(text, is_whole=False) == shown
    assert shown_address(text, is_whole=True) == text
