"""Dates and numbers as Vietnamese writes them; Django's own take two lines for a date."""

from __future__ import annotations

DATE_FORMAT = "d/m/Y"
SHORT_DATE_FORMAT = "d/m/Y"
DATETIME_FORMAT = "H:i d/m/Y"
SHORT_DATETIME_FORMAT = "H:i d/m/Y"
TIME_FORMAT = "H:i"
DATETIME_SECONDS_FORMAT = "H:i:s d/m/Y"
SHORT_DATETIME_SECONDS_FORMAT = "H:i:s d/m/Y"
DAY_TIME_FORMAT = "H:i d/m"
DAY_TIME_SECONDS_FORMAT = "H:i:s d/m"
# A backslash before each letter that would name a part of the date: tháng 11/2026.
YEAR_MONTH_FORMAT = r"\t\há\n\g n/Y"
MONTH_DAY_FORMAT = "d/m"
EXACT_DATETIME_FORMAT = "H:i:s d/m/Y"
WEEKDAY_DATE_FORMAT = "D, d/m/Y"
WEEKDAY_DATETIME_FORMAT = "H:i, D, d/m/Y"
SHORT_MONTH_DAY_FORMAT = "d/m"
SHORT_MONTH_DAY_HOUR_FORMAT = "H:i d/m"
DECIMAL_SEPARATOR = ","
THOUSAND_SEPARATOR = "."
NUMBER_GROUPING = 3
