"""Cells for spreadsheets, which would take some texts for formulas. Pure."""

from __future__ import annotations

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """`value`; a text that a spreadsheet would run, behind an apostrophe. Customers choose names of keys."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
