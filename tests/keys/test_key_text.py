from __future__ import annotations

import random
import re
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.key_text import (
    ALPHABET,
    KeyShape,
    KeyTypeName,
    check_digits,
    is_importable,
    make_key_text,
    mask,
    shape_of,
    type_of,
)

KEY_TYPES: list[KeyTypeName] = ["rest", "tiles"]
GOONG_KEY = "7fKq2LwP9xQeT4bVn8RmYc3ZsHd6JgUa1Xo5EiNt"

key_texts = st.builds(
    lambda key_type, seed: make_key_text(key_type, random.Random(seed).choice),
    st.sampled_from(KEY_TYPES),
    st.integers(),
)


@pytest.mark.parametrize(("key_type", "prefix"), [("rest", "gr"), ("tiles", "gm")])
def test_key_is_prefix_thirty_random_digits_and_six_check_digits(key_type: KeyTypeName, prefix: str) -> None:
    text = make_key_text(key_type, lambda alphabet: alphabet[-1])
    assert text[:33] == f"{prefix}_{'z' * 30}"
    assert re.fullmatch(r"g[rm]_[0-9A-Za-z]{36}", text)


def test_every_character_of_the_body_is_chosen_from_the_whole_alphabet() -> None:
    asked: list[str] = []

    def choose(alphabet: str) -> str:
        asked.append(alphabet)
        return "0"

    make_key_text("rest", choose)
    assert asked == [ALPHABET] * 30
    assert len(set(ALPHABET)) == 62


@given(key_texts)
def test_check_digits_are_the_crc_in_base_62(text: str) -> None:
    number = 0
    for digit in text[-6:]:
        number = number * 62 + ALPHABET.index(digit)
    assert number == crc32(text[:-6].encode())
    assert check_digits(text[:-6]) == text[-6:]


@given(key_texts)
def test_made_key_is_recognised_with_its_type(text: str) -> None:
    assert shape_of(text) is KeyShape.OWN
    assert type_of(text) == ("rest" if text.startswith("gr_") else "tiles")


@given(key_texts, st.integers(3, 38), st.sampled_from(ALPHABET))
def test_one_wrong_character_shows(text: str, position: int, character: str) -> None:
    typed = text[:position] + character + text[position + 1 :]
    assert (shape_of(typed) is KeyShape.OWN) == (typed == text)


@given(key_texts, st.integers(3, 37))
def test_two_characters_swapped_show(text: str, position: int) -> None:
    typed = text[:position] + text[position + 1] + text[position] + text[position + 2 :]
    assert (shape_of(typed) is KeyShape.OWN) == (typed == text)


@pytest.mark.parametrize("cut", [slice(0, -1), slice(0, 20), slice(0, 3)])
def test_key_cut_short_shows(cut: slice) -> None:
    assert shape_of(make_key_text("rest", lambda alphabet: "a")[cut]) is KeyShape.MISTYPED


@pytest.mark.parametrize("text", [GOONG_KEY, "", "GR_" + "a" * 36, "sk-live-1234567890"])
def test_key_of_another_provider_is_foreign(text: str) -> None:
    assert shape_of(text) is KeyShape.FOREIGN
    assert type_of(text) is None


@pytest.mark.parametrize(
    ("text", "is_fit"),
    [
        (GOONG_KEY, True),
        ("x" * 16, True),
        ("x" * 200, True),
        ("a.b_c~d-0123456789", True),
        ("x" * 15, False),
        ("x" * 201, False),
        ("x" * 20 + " ", False),
        ("x" * 20 + "\n", False),
        ("khóa-của-tôi-0123456", False),
        ("gr_" + "a" * 36, False),
    ],
)
def test_only_url_safe_texts_of_a_sane_length_are_importable(text: str, is_fit: bool) -> None:
    assert is_importable(text) is is_fit


@given(key_texts)
def test_mask_shows_six_and_four_characters_and_no_more(text: str) -> None:
    assert mask(text) == f"{text[:6]}…{text[-4:]}"
