"""The colours of the sandbox's styles, one palette for each style name that Goong publishes."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Palette:
    """What a style looks like. Colours as CSS writes them."""

    title: str
    ground: str
    block: str
    business: str
    garden: str
    park: str
    water: str
    building: str
    street: str
    secondary: str
    primary: str
    highway: str
    casing: str
    border: str
    text: str
    street_text: str
    park_text: str
    water_text: str
    halo: str
    # Roads are drawn this many times as wide: navigation styles make more of them.
    road_share: float = 1.0
    is_satellite: bool = False


WEB = Palette(
    title="Goong web",
    ground="#eceae4",
    block="#f6f4ef",
    business="#f5eee4",
    garden="#e3efd9",
    park="#cbe6b8",
    water="#a9d3ee",
    building="#e4dfd6",
    street="#ffffff",
    secondary="#ffffff",
    primary="#ffe9a8",
    highway="#fbc873",
    casing="#d8d1c5",
    border="#b39ab8",
    text="#454b57",
    street_text="#6f6a61",
    park_text="#4b7d3a",
    water_text="#3c78a8",
    halo="#ffffff",
)
LIGHT = replace(
    WEB,
    title="Goong light",
    ground="#f0f1f3",
    block="#f8f9fa",
    business="#f5f6f8",
    garden="#eff3ee",
    park="#e2ebdf",
    water="#d3dfe8",
    building="#eceef1",
    primary="#ffffff",
    highway="#ffffff",
    casing="#dfe2e6",
    border="#c5c9d1",
    text="#6b7280",
    street_text="#9097a3",
    park_text="#86a07d",
    water_text="#84a0b6",
)
DARK = replace(
    WEB,
    title="Goong dark",
    ground="#14181f",
    block="#1b212b",
    business="#1f2631",
    garden="#1b2a26",
    park="#1d3329",
    water="#12304a",
    building="#242c38",
    street="#364153",
    secondary="#435066",
    primary="#566681",
    highway="#70819f",
    casing="#10141a",
    border="#5d5570",
    text="#c4ccd9",
    street_text="#8f9bb0",
    park_text="#6fa37f",
    water_text="#6a9cc7",
    halo="#12161c",
)
SATELLITE = replace(
    WEB,
    title="Goong satellite",
    street="#e9e4d4",
    secondary="#f1ecdc",
    casing="#4a4f3a",
    border="#f4f1ff",
    text="#ffffff",
    street_text="#f7f3e6",
    park_text="#d8f2c8",
    water_text="#cfe8fb",
    halo="#24301c",
    is_satellite=True,
)

PALETTES = {
    "goong_map_web": WEB,
    "goong_light_v2": LIGHT,
    "goong_map_dark": DARK,
    "goong_map_highlight": replace(
        WEB, title="Goong highlight", primary="#ffc94d", highway="#ff8a4c", water="#86c5f0", park="#b3e093"
    ),
    "goong_satellite": SATELLITE,
    "navigation_day": replace(WEB, title="Navigation day", highway="#8fb7f0", primary="#c7dbf7", road_share=1.4),
    "navigation_night": replace(DARK, title="Navigation night", highway="#4d7fc4", primary="#3d5d8c", road_share=1.4),
}
