from __future__ import annotations

import pytest

from goongdash.lib.spreadsheets import safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_put_behind_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Shop front", "", "a=1", -5, None])
def test_everything_else_stays_as_it_is(value: object) -> None:
    assert safe_cell(value) == value
