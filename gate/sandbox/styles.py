"""Answers `/assets/{style}.json` and `/sources/{set}.json`: the map's looks, and where its tiles are.

All nested URLs are absolute and carry the caller's own key: MapLibre asks for them as they are, and so does
goong-js with URLs that do not begin with Goong's own host (in those it puts its base URL and key itself).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gate.sandbox.city import MAX_ZOOM
from gate.sandbox.palettes import PALETTES, Palette
from gate.sandbox.reply import SandboxAnswer, json_answer, not_found
from gate.sandbox.stylelayers import style_layers

ATTRIBUTION = "Sandbox: a made-up city"
START_CENTRE = [105.8342, 21.0278]
START_ZOOM = 13
TILE_TYPES = {"base": "pbf", "goong": "pbf", "satellite": "webp"}
VECTOR_LAYERS = {
    "base": ("block", "building", "road", "waterway", "park", "water"),
    "goong": ("district", "street_name", "place", "shop"),
}


@dataclass(frozen=True, slots=True)
class Links:
    """How nested URLs are written: below `base_url`, with the caller's key."""

    base_url: str
    key: str

    def to(self, path: str) -> str:
        query = f"?api_key={quote(self.key, safe='', errors='replace')}" if self.key else ""
        return f"{self.base_url.rstrip('/')}{path}{query}"


def style_answer(name: str, *, links: Links) -> SandboxAnswer:
    palette = PALETTES.get(name)
    if palette is None:
        return not_found("There is no such style.")
    return json_answer(
        {
            "version": 8,
            "name": f"{palette.title} (sandbox)",
            "center": START_CENTRE,
            "zoom": START_ZOOM,
            "sprite": links.to(f"/sprite/{name}"),
            "glyphs": links.to("/fonts/{fontstack}/{range}.pbf"),
            "sources": _sources(palette, links),
            "layers": style_layers(palette),
        }
    )


def tilejson_answer(name: str, *, links: Links) -> SandboxAnswer:
    if name not in TILE_TYPES:
        return not_found("There is no such source.")
    answer: dict[str, Any] = {
        "tilejson": "2.2.0",
        "name": name,
        "attribution": ATTRIBUTION,
        "scheme": "xyz",
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "bounds": [-180, -85.0511, 180, 85.0511],
        "tiles": [links.to(f"/tiles/{name}/{{z}}/{{x}}/{{y}}.{TILE_TYPES[name]}")],
    }
    if name in VECTOR_LAYERS:
        answer["vector_layers"] = [{"id": layer, "fields": {}} for layer in VECTOR_LAYERS[name]]
    return json_answer(answer)


def _sources(palette: Palette, links: Links) -> dict[str, Any]:
    sources: dict[str, Any] = {
        name: {"type": "vector", "url": links.to(f"/sources/{name}.json")} for name in VECTOR_LAYERS
    }
    if palette.is_satellite:
        sources["satellite"] = {"type": "raster", "tileSize": 256, "url": links.to("/sources/satellite.json")}
    return sources
