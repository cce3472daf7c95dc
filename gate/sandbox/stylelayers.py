"""The layers of the sandbox's styles, from the ground up: blocks, rivers, roads, parks and lakes, names.

Parks and lakes lie over the roads: finer streets run through their cells, and must not be seen in them.
Format: the Mapbox GL style specification, version 8.
"""

from __future__ import annotations

from typing import Any

from gate.sandbox.palettes import Palette

Layer = dict[str, Any]

PLAIN_FONT, BOLD_FONT = ["Roboto Regular"], ["Roboto Bold"]
# Widths in pixels at zoom 10, 14 and 18.
ROADS = {
    "street": (0.3, 2.2, 14),
    "secondary": (0.6, 4, 18),
    "primary": (1.4, 6, 24),
    "highway": (2.2, 8, 30),
}


def style_layers(palette: Palette) -> list[Layer]:
    ground = _picture_layers() if palette.is_satellite else _ground_layers(palette)
    return [
        {"id": "background", "type": "background", "paint": {"background-color": palette.ground}},
        *ground,
        *(_road(kind, palette, is_casing=True) for kind in ROADS),
        *(_road(kind, palette, is_casing=False) for kind in ROADS),
        *_street_layers(palette),
        *([] if palette.is_satellite else _area_layers(palette)),
        *_name_layers(palette),
    ]


def _picture_layers() -> list[Layer]:
    return [{"id": "satellite", "type": "raster", "source": "satellite"}]


def _ground_layers(palette: Palette) -> list[Layer]:
    block_colour = [
        "match",
        ["get", "kind"],
        "business",
        palette.business,
        "garden",
        palette.garden,
        palette.block,
    ]
    return [
        _layer("block", "fill", "base", paint={"fill-color": block_colour}, minzoom=6),
        _layer(
            "building",
            "fill",
            "base",
            paint={"fill-color": palette.building, "fill-outline-color": palette.casing},
            minzoom=14,
        ),
        _layer(
            "waterway",
            "line",
            "base",
            layout={"line-cap": "round", "line-join": "round"},
            paint={"line-color": palette.water, "line-width": ["get", "width"]},
        ),
    ]


def _area_layers(palette: Palette) -> list[Layer]:
    return [
        _layer("park", "fill", "base", paint={"fill-color": palette.park}),
        _layer("water", "fill", "base", paint={"fill-color": palette.water}),
    ]


def _road(kind: str, palette: Palette, *, is_casing: bool) -> Layer:
    extra = 2 if is_casing else 0
    far, near, close = (width * palette.road_share + extra for width in ROADS[kind])
    colour = palette.casing if is_casing else getattr(palette, kind)
    return _layer(
        "road",
        "line",
        "base",
        name=f"road-{kind}-casing" if is_casing else f"road-{kind}",
        filter=["==", ["get", "kind"], kind],
        layout={"line-cap": "round", "line-join": "round"},
        paint={
            "line-color": colour,
            "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 10, far, 14, near, 18, close],
        },
        minzoom={"street": 10, "secondary": 8, "primary": 5}.get(kind, 0) + (2 if is_casing else 0),
    )


def _street_layers(palette: Palette) -> list[Layer]:
    """The names of streets and rivers, which parks and lakes are to hide like the streets themselves."""
    streets = ("secondary", "primary", "highway")
    return [
        _street_names("river", palette.water_text, palette, minzoom=10),
        *(_street_names(kind, palette.street_text, palette, minzoom=12) for kind in streets),
    ]


def _name_layers(palette: Palette) -> list[Layer]:
    border = {"line-color": palette.border, "line-width": 1.2, "line-dasharray": [4, 3], "line-opacity": 0.7}
    return [
        _layer("district", "line", "goong", name="border", paint=border, minzoom=9),
        _shops(palette),
        _names("park", palette.park_text, palette, size=11, font=PLAIN_FONT, minzoom=12),
        _names("lake", palette.water_text, palette, size=12, font=PLAIN_FONT, minzoom=11),
        _names("ward", palette.text, palette, size=12, font=PLAIN_FONT, minzoom=11),
        _names("district", palette.text, palette, size=16, font=BOLD_FONT, minzoom=3),
    ]


def _street_names(kind: str, colour: str, palette: Palette, *, minzoom: int) -> Layer:
    return _layer(
        "street_name",
        "symbol",
        "goong",
        name=f"name-{kind}",
        filter=["==", ["get", "kind"], kind],
        layout={
            "symbol-placement": "line",
            "symbol-spacing": 320,
            "text-field": ["get", "name"],
            "text-font": PLAIN_FONT,
            "text-size": 11,
        },
        paint=_text_paint(colour, palette),
        minzoom=minzoom,
    )


def _shops(palette: Palette) -> Layer:
    return _layer(
        "shop",
        "symbol",
        "goong",
        layout={
            "icon-image": ["get", "kind"],
            "text-field": ["get", "name"],
            "text-font": PLAIN_FONT,
            "text-size": 10,
            "text-anchor": "top",
            "text-offset": [0, 1.1],
            "text-optional": True,
        },
        paint=_text_paint(palette.street_text, palette),
        minzoom=13.5,
    )


def _names(kind: str, colour: str, palette: Palette, *, size: int, font: list[str], minzoom: int) -> Layer:
    return _layer(
        "place",
        "symbol",
        "goong",
        name=f"place-{kind}",
        filter=["==", ["get", "kind"], kind],
        layout={"text-field": ["get", "name"], "text-font": font, "text-size": size, "text-max-width": 8},
        paint=_text_paint(colour, palette),
        minzoom=minzoom,
    )


def _text_paint(colour: str, palette: Palette) -> dict[str, Any]:
    return {"text-color": colour, "text-halo-color": palette.halo, "text-halo-width": 1.4}


def _layer(source_layer: str, kind: str, source: str, *, name: str = "", **rest: Any) -> Layer:
    return {"id": name or source_layer, "type": kind, "source": source, "source-layer": source_layer, **rest}
