"""The colours and the words of charts: of services, and of hours and days in the language that is active. Pure.

Colours are names of swatches; static/css/statistics.css says what they look like on light and on dark ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language

from stats.series import Bucket

# A service has the same colour on every page, whatever else is shown: one hue for a service, v2 its lighter tone.
# The hues are the eight of the site, apart from each other for colour-blind eyes too, and black (white on dark).
SWATCHES: dict[str, str] = {
    "autocomplete": "1",
    "autocomplete-v2": "1-light",
    "place-detail": "2",
    "place-detail-v2": "2-light",
    "place-children-v2": "6",
    "geocode": "3",
    "geocode-v2": "3-light",
    "directions": "4",
    "directions-v2": "4-light",
    "distance-matrix": "5",
    "distance-matrix-v2": "5-light",
    "trip": "8",
    "trip-v2": "8-light",
    "static-map": "7",
    "map-load": "9",
}
N_HUES = 9
PARTS_SWATCH = "parts"
UNKNOWN_SWATCH = "unknown"


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What a chart needs to know of a service. `is_part`: it belongs to a map load and costs nothing."""

    slug: str
    name: str
    version: str
    position: int
    is_part: bool = False

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}".strip()

    @property
    def swatch(self) -> str:
        if self.is_part:
            return PARTS_SWATCH
        return SWATCHES.get(self.slug, str(1 + self.position % N_HUES))


def bucket_labels(buckets: Sequence[Bucket], zone: ZoneInfo) -> list[str]:
    """What stands under the bars: the day, or the hour (with its day where there are several)."""
    one_day = len({_local_day(bucket, zone) for bucket in buckets}) <= 1
    return [_label(bucket, zone, one_day=one_day) for bucket in buckets]


def bucket_title(bucket: Bucket, zone: ZoneInfo) -> str:
    """``Mon 23 Nov 2026`` or ``Mon 23 Nov 2026, 14:00``; an hour that the clock repeats names its offset."""
    if not isinstance(bucket, datetime):
        return _written(bucket, "WEEKDAY_DATE_FORMAT", zone)
    local = bucket.astimezone(zone)
    title = _written(local, "WEEKDAY_DATETIME_FORMAT", zone)
    is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{title} (UTC{local:%z})" if is_repeated else title


def _label(bucket: Bucket, zone: ZoneInfo, *, one_day: bool) -> str:
    if not isinstance(bucket, datetime):
        return _written(bucket, "SHORT_MONTH_DAY_FORMAT", zone)
    return _written(bucket.astimezone(zone), "TIME_FORMAT" if one_day else "SHORT_MONTH_DAY_HOUR_FORMAT", zone)


def _written(moment: Bucket, format: str, zone: ZoneInfo) -> str:
    return _remembered(moment, format, zone, get_language())


@lru_cache(maxsize=20_000)
def _remembered(moment: Bucket, format: str, zone: ZoneInfo, language: str | None) -> str:
    """`moment` of `zone` in the active `language`: charts name the same days and hours over and over."""
    return date_format(moment, format)


def _local_day(bucket: Bucket, zone: ZoneInfo) -> date:
    return bucket.astimezone(zone).date() if isinstance(bucket, datetime) else bucket
