"""Money is exact: what is written is what is read, and nothing is ever rounded on the way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goongdash.lib.money import MICRO_PER_USD, MoneyError, format_usd, parse_usd, round_to_cent

AMOUNTS = st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1)


@given(AMOUNTS)
def test_what_is_written_is_read_back_to_the_micro_dollar(amount: int) -> None:
    assert parse_usd(format_usd(amount)) == amount


@given(AMOUNTS, st.integers(0, 6))
def test_number_of_decimals_never_changes_the_amount(amount: int, min_decimals: int) -> None:
    text = format_usd(amount, min_decimals=min_decimals)

    assert parse_usd(text.removesuffix(".")) == amount


@given(AMOUNTS)
def test_rounding_goes_to_the_nearest_cent_half_away_from_zero(amount: int) -> None:
    rounded = round_to_cent(amount)

    assert rounded % 10_000 == 0
    assert abs(rounded - amount) <= 5_000
    assert round_to_cent(-amount) == -rounded
    assert round_to_cent(rounded) == rounded


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("0", 0),
        ("12.5", 12_500_000),
        ("$0.005", 5_000),
        (" $1,234.50 ", 1_234_500_000),
        ("-$1,234,567.000001", -1_234_567_000_001),
        ("-3", -3_000_000),
        ("0.1000000000000000000000000000000000000000", 100_000),
        ("9223372036854.775807", 2**63 - 1),
        ("00012", 12_000_000),
    ],
)
def test_amounts_are_read(text: str, micro: int) -> None:
    assert parse_usd(text) == micro


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$",
        "-",
        ".",
        ".5",
        "5.",
        "1e3",
        "1e999999999",
        "NaN",
        "sNaN",
        "Infinity",
        "1_000",
        "0x10",
        "--1",
        "$$1",
        "1 000",
        "٣",
        "12,50",
        "1,2,3",
        "1,0000",
        ",100",
        "1.2.3",
        "five",
        "1\n2",
        "1\x00",
    ],
)
def test_what_is_no_amount_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(MoneyError) as refused:
        parse_usd(text)

    assert repr(text) in str(refused.value)


def test_comma_as_decimal_mark_is_never_taken_for_thousands() -> None:
    with pytest.raises(MoneyError):
        parse_usd("12,50")


@pytest.mark.parametrize("text", ["0.0000001", "0.0000010000000000000000000000000000000001", "-0.1234567"])
def test_fractions_of_a_micro_dollar_are_refused_not_rounded(text: str) -> None:
    with pytest.raises(MoneyError, match="finer"):
        parse_usd(text)


@pytest.mark.parametrize("text", ["9223372036854.775808", "-9223372036854.775808", "9" * 5_000])
def test_amounts_beyond_the_database_are_refused(text: str) -> None:
    with pytest.raises(MoneyError, match="out of range"):
        parse_usd(text)


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_a_money_error(text: str) -> None:
    try:
        micro = parse_usd(text)
    except MoneyError:
        return
    assert micro == Decimal(text.strip().replace("$", "").replace(",", "")) * MICRO_PER_USD


def test_half_a_cent_rounds_away_from_zero() -> None:
    assert [round_to_cent(n) for n in (4_999, 5_000, 14_999, 15_000, -4_999, -5_000)] == [
        0,
        10_000,
        10_000,
        20_000,
        0,
        -10_000,
    ]
