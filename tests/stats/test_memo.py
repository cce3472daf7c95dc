"""A memo makes something of a text once, forgets rather than grows, and keeps nothing of a text that is refused."""

from __future__ import annotations

import pytest

from stats.memo import Memo


def test_text_that_came_before_is_not_read_again() -> None:
    asked: list[bytes] = []

    def make(text: bytes) -> int:
        asked.append(text)
        return len(text)

    assert [*map(Memo(make, room=10).__getitem__, [b"a", b"bb", b"a"])] == [1, 2, 1]
    assert asked == [b"a", b"bb"]


def test_memo_never_holds_more_than_it_has_room_for() -> None:
    memo = Memo(int, room=3)

    for n in range(20):
        assert memo[b"%d" % n] == n
        assert len(memo) <= 3


def test_text_that_is_refused_is_refused_each_time() -> None:
    memo = Memo(int, room=3)

    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            memo[b"x"]
    assert not memo
