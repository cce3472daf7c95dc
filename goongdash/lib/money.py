"""Money as whole micro-dollars (1 USD = 1,000,000): reading, writing and the one rounding rule."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MICRO_PER_USD = 1_000_000


class MoneyError(ValueError):
    """A text that names no amount of money; `args[0]` says why."""


def parse_usd(text: str) -> int:
    """Micro-dollars for a decimal text such as ``12.5`` or ``$0.005``.

    Raises MoneyError for anything that is not a finite amount of whole micro-dollars.
    """
    try:
        micro = Decimal(text.strip().removeprefix("$").replace(",", "")) * MICRO_PER_USD
    except InvalidOperation:
        raise MoneyError(f"{text!r} is not an amount in dollars.") from None
    if not micro.is_finite() or abs(micro) >= 2**63:
        raise MoneyError(f"{text!r} is out of range.")
    if micro != micro.to_integral_value():
        raise MoneyError(f"{text!r} is finer than a micro-dollar.")
    return int(micro)


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
    cents, rest = divmod(abs(amount_micro_usd), 10_000)
    rounded = (cents + (rest >= 5_000)) * 10_000
    return -rounded if amount_micro_usd < 0 else rounded
