from __future__ import annotations

from datetime import date, datetime

import pytest
from django.template import Context, Template
from django.utils.translation import override

from accounts.figures import number, usd, vnd

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "en", "vi"), [(0, "0", "0"), (1_234_567, "1,234,567", "1.234.567"), (-1, "-1", "-1")]
)
def test_number_is_written_as_the_language_does(value: int, en: str, vi: str) -> None:
    assert number(value) == en
    with override("vi"):
        assert number(value) == vi


@pytest.mark.parametrize(
    ("amount_micro_usd", "min_decimals", "en", "vi"),
    [
        (1_234_500_000, 2, "$1,234.50", f"1.234,50{NBSP}US$"),
        (-1, 2, "-$0.000001", f"-0,000001{NBSP}US$"),
        (100_000_000, 0, "$100", f"100{NBSP}US$"),
        (12_500_000, 0, "$12.5", f"12,5{NBSP}US$"),
        (9_223_372_036_854_775_807, 2, "$9,223,372,036,854.775807", f"9.223.372.036.854,775807{NBSP}US$"),
    ],
)
def test_money_is_exact_in_both_languages(amount_micro_usd: int, min_decimals: int, en: str, vi: str) -> None:
    assert usd(amount_micro_usd, min_decimals=min_decimals) == en
    with override("vi"):
        assert usd(amount_micro_usd, min_decimals=min_decimals) == vi


def test_dong_stand_behind_their_number() -> None:
    assert vnd(5_000_000) == f"5,000,000{NBSP}₫"
    with override("vi"):
        assert vnd(5_000_000) == f"5.000.000{NBSP}₫"


@pytest.mark.parametrize(
    ("format", "en", "vi"),
    [
        ("DATE_FORMAT", "3 November 2026", "03/11/2026"),
        ("SHORT_DATE_FORMAT", "3 Nov 2026", "03/11/2026"),
        ("SHORT_DATETIME_FORMAT", "3 Nov 2026, 08:05", "08:05 03/11/2026"),
        ("YEAR_MONTH_FORMAT", "November 2026", "tháng 11/2026"),
        ("MONTH_DAY_FORMAT", "3 November", "03/11"),
    ],
)
def test_dates_are_written_as_the_language_does(format: str, en: str, vi: str) -> None:
    template, context = Template(f'{{{{ at|date:"{format}" }}}}'), Context({"at": datetime(2026, 11, 3, 8, 5)})  # noqa: DTZ001
    assert template.render(context) == en
    with override("vi"):
        assert template.render(context) == vi


def test_ids_in_addresses_are_written_plainly() -> None:
    with override("vi"):
        assert Template("{{ id }} {{ on|date:'Y-m-d' }}").render(Context({"id": 1234567, "on": date(2026, 11, 3)})) == (
            "1234567 2026-11-03"
        )
