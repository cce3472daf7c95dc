"""Numbers and money as the reader's language writes them: 1,234.5 and $1.50, or 1.234,5 and 1,50 US$.

For pages and mails. What other programs read (exports, the gate, the audit log) has one form for all.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.formats import get_format
from django.utils.translation import pgettext

from goongdash.lib.money import format_usd


def number(value: int) -> str:
    """With its thousands apart."""
    return numbers([value])[0]


def numbers(values: Iterable[int]) -> list[str]:
    """Each with its thousands apart."""
    mark = get_format("THOUSAND_SEPARATOR")
    return [f"{value:,}".replace(",", mark) for value in values]


def usd(amount_micro_usd: int, *, min_decimals: int = 2) -> str:
    """Integer micro-dollars as dollars, exactly: `min_decimals` at least, six at most."""
    return usds([amount_micro_usd], min_decimals=min_decimals)[0]


def usds(amounts_micro_usd: Iterable[int], *, min_decimals: int = 2) -> list[str]:
    """Each as `usd` writes it."""
    marks = str.maketrans({",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")})
    form = pgettext("an amount of US dollars", "$%(amount)s")
    return [_usd(amount, min_decimals, marks, form) for amount in amounts_micro_usd]


def _usd(amount_micro_usd: int, min_decimals: int, marks: dict[int, str], form: str) -> str:
    exact = format_usd(abs(amount_micro_usd), min_decimals=min_decimals).removeprefix("$").removesuffix(".")
    sign = "-" if amount_micro_usd < 0 else ""
    return sign + form % {"amount": exact.translate(marks)}


def vnd(amount: int) -> str:
    return f"{number(amount)}\N{NO-BREAK SPACE}₫"
