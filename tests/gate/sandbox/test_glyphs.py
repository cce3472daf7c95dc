"""Glyphs: valid messages for a range, with the letters that Vietnamese needs."""

from __future__ import annotations

import pytest

from tests.gate.sandbox.reading import ask, every, only, read_fields, refusal


def glyphs(code_range: str, fontstack: str = "Roboto%20Regular") -> dict[str, list[tuple[int, object]]]:
    answer = ask(f"/fonts/{fontstack}/{code_range}.pbf")
    assert (answer.status, answer.content_type) == (200, "application/x-protobuf")
    stack = read_fields(only(read_fields(answer.body), 1))
    assert only(stack, 2).decode() == code_range
    fields = [read_fields(glyph) for glyph in every(stack, 3)]
    return {chr(only(glyph, 1)): glyph for glyph in fields}


@pytest.mark.parametrize("code_range", ["0-255", "256-511", "7680-7935"])
def test_bitmap_is_as_large_as_the_glyph_with_its_border(code_range: str) -> None:
    found = glyphs(code_range)
    assert found
    for character, glyph in found.items():
        if character != " ":
            assert len(only(glyph, 2)) == (only(glyph, 3) + 6) * (only(glyph, 4) + 6)
            assert max(only(glyph, 2)) > 192 > min(only(glyph, 2)), "no inside or no outside"
        assert 0 < only(glyph, 7) < 40


def test_vietnamese_can_be_written() -> None:
    found = set(glyphs("0-255")) | set(glyphs("256-511")) | set(glyphs("7680-7935"))
    text = (
        "Đường Trần Hưng Đạo, Hồ Gươm - Công viên Thống Nhất, phố Nguyễn Chế Nghĩa, Bằng Lăng, Quỳ, Mỹ, Tỵ 0123456789"
    )
    assert set(text) <= found


def test_bold_is_bolder() -> None:
    plain, bold = glyphs("0-255")["H"], glyphs("0-255", "Roboto%20Bold")["H"]
    assert sum(only(bold, 2)) > sum(only(plain, 2))


def test_range_without_letters_is_empty_but_valid() -> None:
    assert glyphs("19968-20223") == {}


def test_surrogates_have_no_glyphs() -> None:
    assert glyphs("55296-55551") == {}


@pytest.mark.parametrize("code_range", ["0-254", "1-256", "65536-65791", "x-y", "0", "-256--1", "99999-100254"])
def test_odd_range_is_refused(code_range: str) -> None:
    assert refusal(ask(f"/fonts/Roboto/{code_range}.pbf"))[:2] == (400, "INVALID_REQUEST")
