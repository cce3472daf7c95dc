"""From a request to its answer: which service a path names. Nothing is ever raised."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from gate.sandbox.glyphs import glyphs_answer
from gate.sandbox.palettes import PALETTES
from gate.sandbox.places import autocomplete, geocode, place_children, place_detail
from gate.sandbox.query import BadParameter, Query, read_query
from gate.sandbox.reply import SandboxAnswer, invalid_request, not_found
from gate.sandbox.routes import directions, distance_matrix, trip
from gate.sandbox.sprites import sprite_answer
from gate.sandbox.staticmap import static_map
from gate.sandbox.styles import Links, style_answer, tilejson_answer
from gate.sandbox.tiles import tile_answer

Service = Callable[[Query], SandboxAnswer]

_BOTH_VERSIONS: dict[str, Service] = {
    "/place/autocomplete": autocomplete,
    "/place/detail": place_detail,
    "/geocode": geocode,
    "/direction": directions,
    "/distancematrix": distance_matrix,
    "/trip": trip,
}
REST_SERVICES: dict[str, Service] = {
    **_BOTH_VERSIONS,
    **{f"/v2{path}": service for path, service in _BOTH_VERSIONS.items()},
    "/v2/place/children": place_children,
    "/staticmap/route": static_map,
}
STYLE = re.compile(r"/assets/([^/]+)\.json")
SOURCE = re.compile(r"/sources/([^/]+)\.json")
SPRITE = re.compile(r"/sprite/([^/@]+?)(@2x)?\.(json|png)")
FONT = re.compile(r"/fonts/([^/]+)/([^/]+)\.pbf")
TILE = re.compile(r"/tiles/([^/]+)/([^/]+)/([^/]+)/([^/]+)\.([^/.]+)")


def sandbox_answer(*, path: str, query: str, base_url: str) -> SandboxAnswer:
    """The sample answer to a request.

    `path` is as the caller sent it, `query` its raw query string, `base_url` the address that nested URLs in
    styles and TileJSONs begin with, such as `http://127.0.0.1:8001`.
    """
    # Path case does not matter to Goong, and the names of fonts are only given back.
    path = unquote(path).lower()
    try:
        parameters = read_query(query)
        if service := REST_SERVICES.get(path):
            return service(parameters)
    except BadParameter as reason:
        return invalid_request(str(reason))
    return _tile_side_answer(path, Links(base_url, parameters.get("api_key")))


def _tile_side_answer(path: str, links: Links) -> SandboxAnswer:
    if match := TILE.fullmatch(path):
        return tile_answer(*match.groups())
    if match := FONT.fullmatch(path):
        return glyphs_answer(*match.groups())
    if match := STYLE.fullmatch(path):
        return style_answer(match[1], links=links)
    if match := SOURCE.fullmatch(path):
        return tilejson_answer(match[1], links=links)
    if (match := SPRITE.fullmatch(path)) and match[1] in PALETTES:
        return sprite_answer(match[3], pixel_ratio=2 if match[2] else 1)
    return not_found("The sandbox has no such resource.")
