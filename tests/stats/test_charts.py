from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from stats.charts import SWATCHES, ServiceFacts, bucket_labels, bucket_title

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
CSS = Path(__file__).resolve().parents[2] / "static" / "css" / "statistics.css"
# Services 1 to 4; 5 is one that is gone.
SERVICES = {
    1: ServiceFacts("geocode", "Geocode", "v1", 5),
    2: ServiceFacts("geocode-v2", "Geocode", "v2", 6),
    3: ServiceFacts("map-load", "Map load", "", 14),
    4: ServiceFacts("tiles", "Tiles", "", 18, is_part=True),
}


def test_days_are_labelled_by_day() -> None:
    assert bucket_labels([date(2026, 11, 1), date(2026, 11, 2)], HANOI) == ["1 Nov", "2 Nov"]
    assert bucket_title(date(2026, 11, 1), HANOI) == "Sun 1 Nov 2026"


def test_hours_are_labelled_by_the_clock_of_the_zone() -> None:
    hour = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert bucket_labels([hour], HANOI) == ["23:00"]
    assert bucket_labels([hour, hour + timedelta(hours=1)], HANOI) == ["23 Nov 23:00", "24 Nov 00:00"]
    assert bucket_title(hour, HANOI) == "Mon 23 Nov 2026, 23:00"


def test_an_hour_that_the_clock_repeats_names_its_offset() -> None:
    new_york = ZoneInfo("America/New_York")
    titles = [bucket_title(datetime(2026, 11, 1, hour, tzinfo=UTC), new_york) for hour in (4, 5, 6, 7)]
    assert titles == [
        "Sun 1 Nov 2026, 00:00",
        "Sun 1 Nov 2026, 01:00 (UTC-0400)",
        "Sun 1 Nov 2026, 01:00 (UTC-0500)",
        "Sun 1 Nov 2026, 02:00",
    ]


def test_services_have_colours_of_their_own_which_the_styles_know() -> None:
    assert len(set(SWATCHES.values())) == len(SWATCHES)
    css = CSS.read_text()
    new = ServiceFacts("isochrone", "Isochrone", "v1", 21)
    for swatch in [*SWATCHES.values(), new.swatch, SERVICES[4].swatch, "unknown"]:
        assert f".swatch-{swatch}" in css
