"""Dates as they were always written here, which no reader takes for another day: 25 Nov 2026."""

from __future__ import annotations

DATE_FORMAT = "j F Y"
SHORT_DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j F Y, H:i"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
# These four are our own: to the second, and without the year.
DATETIME_SECONDS_FORMAT = "j F Y, H:i:s"
SHORT_DATETIME_SECONDS_FORMAT = "j M Y, H:i:s"
DAY_TIME_FORMAT = "j M, H:i"
DAY_TIME_SECONDS_FORMAT = "j M, H:i:s"
YEAR_MONTH_FORMAT = "F Y"
MONTH_DAY_FORMAT = "j F"
# Ours, beyond the names that Django has: with seconds, with the day of the week, without a year.
EXACT_DATETIME_FORMAT = "j F Y, H:i:s"
WEEKDAY_DATE_FORMAT = "D j M Y"
WEEKDAY_DATETIME_FORMAT = "D j M Y, H:i"
SHORT_MONTH_DAY_FORMAT = "j M"
SHORT_MONTH_DAY_HOUR_FORMAT = "j M H:i"
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
