"""Made-up, repeatable variety: numbers that depend on nothing but the words they are asked with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def number(*words: object) -> int:
    """A number from 0 to 2**32-1. Python's own hash() differs from process to process, this one does not."""
    text = "/".join(map(str, words)).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big")


def fraction(*words: object) -> float:
    """A number in [0, 1)."""
    return number(*words) / 2**32


def pick(choices: Sequence[T], *words: object) -> T:
    return choices[number(*words) % len(choices)]
