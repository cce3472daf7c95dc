"""Money as whole micro-dollars (1 USD = 1,000,000): reading, writing and the one rounding rule."""

from __future__ import annotations

import re

MICRO_PER_USD = 1_000_000
MICRO_PER_CENT = 10_000
# What PostgreSQL's bigint holds.
_LIMIT = 2**63

# A comma may only part thousands: in much of the world "12,50" is twelve and a half, and must not become 1,250.
_AMOUNT = re.compile(r"(-?)\$?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?", re.ASCII)


class MoneyError(ValueError):
    """A text that names no amount of money; `args[0]` says why."""


def parse_usd(text: str) -> int:
    """Micro-dollars for a decimal text such as ``12.5``, ``$0.005`` or ``-$1,234.50``.

    Raises MoneyError for anything that is not a finite amount of whole micro-dollars.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise MoneyError(f"{text!r} is not an amount in dollars.")
    sign, dollars, decimals = match[1], match[2].replace(",", ""), (match[3] or "").rstrip("0")
    if len(decimals) > 6:
        raise MoneyError(f"{text!r} is finer than a micro-dollar.")
    if len(dollars.lstrip("0")) > 13:
        raise MoneyError(f"{text!r} is out of range.")
    micro = int(dollars) * MICRO_PER_USD + int(decimals.ljust(6, "0"))
    if micro >= _LIMIT:
        raise MoneyError(f"{text!r} is out of range.")
    return -micro if sign else micro


def format_usd(amount_micro_usd: int, *, min_decimals: int = 2) -> str:
    """``$1,234.50`` for 1_234_500_000: exact, with as many decimals as needed (two at least, six at most)."""
    sign = "-" if amount_micro_usd < 0 else ""
    dollars, micro = divmod(abs(amount_micro_usd), MICRO_PER_USD)
    decimals = f"{micro:06d}".rstrip("0").ljust(min_decimals, "0")
    return f"{sign}${dollars:,}.{decimals}"


def round_to_cent(amount_micro_usd: int) -> int:
    """The amount in whole cents, as micro-dollars: half a cent rounds away from zero.

    The only rounding in the product. It is for showing a rounded figure, never for keeping one.
    """
    cents, rest = divmod(abs(amount_micro_usd), MICRO_PER_CENT)
    rounded = (cents + (rest >= MICRO_PER_CENT // 2)) * MICRO_PER_CENT
    return -rounded if amount_micro_usd < 0 else rounded
