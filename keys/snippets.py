"""First programs to copy for a key: for a terminal, a server, a web page, with the key already in them. Pure.

Each is for a service that the key opens and comes with what its restriction list makes of it. Tests run every one of
them, as the page shows it, against a gate.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlencode

from keys.entries import entries_read
from keys.examples import example_site

# Of Goong's and MapLibre's npm packages; tests run these.
GOONG_JS_VERSION = "1.0.9"
MAPLIBRE_VERSION = "5.24.1"
_CDN = "https://cdn.jsdelivr.net/npm"
_STYLE = "goong_map_web.json"
_HERE, _THERE = "20.981971,105.864323", "21.031011,105.783206"
_PLACE = "0WmA4vbeody2J9AEvVM9YE3ZN85z7Mrw"


class RunsOn(StrEnum):
    """Where a snippet runs, which decides what its requests say of themselves."""

    TERMINAL = "terminal"
    SERVER = "server"
    WEB_PAGE = "web-page"


class Caution(StrEnum):
    """What the key's restriction list asks of whoever runs a snippet."""

    NONE = ""
    NEEDS_ADDRESS = "needs_address"
    FROM_ADDRESS = "from_address"
    NEEDS_SITE = "needs_site"
    FROM_SITE = "from_site"


@dataclass(frozen=True, slots=True)
class Snippet:
    """`name` is a slug; `before` is a command to be run first, where there is one."""

    name: str
    text: str
    runs_on: RunsOn
    before: str = ""
    caution: Caution = Caution.NONE


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to a service, and the same in Goong's SDK, which knows the older versions only."""

    path: str
    parameters: dict[str, str]
    sdk_service: str = ""
    sdk_method: str = ""


_SEARCH = {"input": "91 Trung Kinh"}
_FIND = {"address": "91 Trung Kinh"}
_WAY = {"origin": _HERE, "destination": _THERE, "vehicle": "car"}
_TABLE = {"origins": _HERE, "destinations": _THERE, "vehicle": "car"}
_SHOWN = {"place_id": _PLACE}
# By slug, the likeliest first.
_CALLS = {
    "geocode": _Call("/Geocode", _FIND, "geocoding", "forwardGeocode"),
    "geocode-v2": _Call("/v2/geocode", _FIND),
    "autocomplete": _Call("/Place/AutoComplete", _SEARCH, "autocomplete", "search"),
    "autocomplete-v2": _Call("/v2/place/autocomplete", _SEARCH),
    "directions": _Call("/Direction", _WAY, "directions", "getDirections"),
    "directions-v2": _Call("/v2/direction", _WAY),
    "distance-matrix": _Call("/DistanceMatrix", _TABLE, "distancematrix", "getMatrix"),
    "distance-matrix-v2": _Call("/v2/distancematrix", _TABLE),
    "place-detail": _Call("/Place/Detail", _SHOWN),
    "place-detail-v2": _Call("/v2/place/detail", _SHOWN),
    "place-children-v2": _Call("/v2/place/children", {"parent_id": _PLACE}),
    "trip": _Call("/trip", _WAY),
    "trip-v2": _Call("/v2/trip", _WAY),
}


def snippets(
    *,
    gate_url: str,
    key_type: str,
    key_text: str,
    restrictions: Sequence[str] = (),
    allows_no_origin: bool = False,
    services: Collection[str] = (),
) -> list[Snippet]:
    """The programs for such a key; `services` are the slugs of those that it is held to (none: all of its type).

    `key_text` stands in them as it is, whole or masked. A key held to services without an example gets none.
    """
    site = next(filter(None, map(example_site, restrictions)), "")
    if key_type == "tiles":
        found = _of_maps(gate_url, key_text, site)
    else:
        call = next((call for slug, call in _CALLS.items() if not services or slug in services), None)
        found = [] if call is None else _of_requests(gate_url, key_text, site, call)
    return [replace(snippet, caution=_caution(snippet.runs_on, restrictions, allows_no_origin)) for snippet in found]


def _of_requests(gate_url: str, key_text: str, site: str, call: _Call) -> list[Snippet]:
    return [
        _curl(f"{gate_url}{call.path}?{urlencode(call.parameters)}&api_key={key_text}", site),
        *([_node(gate_url, key_text, call)] if call.sdk_service else []),
        Snippet("fetch", _fetch(gate_url, key_text, call), RunsOn.WEB_PAGE),
        Snippet("python", _python(gate_url, key_text, call), RunsOn.SERVER),
    ]


def _of_maps(gate_url: str, key_text: str, site: str) -> list[Snippet]:
    style_url = f"{gate_url}/assets/{_STYLE}?api_key={key_text}"
    return [
        Snippet("goong-js", _goong_js(gate_url, key_text), RunsOn.WEB_PAGE),
        Snippet("maplibre", _maplibre(style_url), RunsOn.WEB_PAGE),
        _curl(style_url, site),
    ]


def _curl(url: str, site: str) -> Snippet:
    text = shlex.join(["curl", *(["--referer", site] if site else []), url])
    return Snippet("curl", text, RunsOn.TERMINAL)


def _node(gate_url: str, key_text: str, call: _Call) -> Snippet:
    text = f"""\
const createClient = require('@goongmaps/goong-sdk')
const createService = require('@goongmaps/goong-sdk/services/{call.sdk_service}')

const client = createClient({{ accessToken: '{key_text}', origin: '{gate_url}' }})
const service = createService(client)

service.{call.sdk_method}({_object(call.parameters)}).send()
  .then((response) => console.log(JSON.stringify(response.body, null, 2)))
  .catch((error) => console.error(error.message))
"""
    return Snippet("goong-sdk", text, RunsOn.SERVER, before="npm install @goongmaps/goong-sdk")


def _fetch(gate_url: str, key_text: str, call: _Call) -> str:
    return f"""\
<pre id="answer"></pre>
<script type="module">
  const parameters = new URLSearchParams({{
    {_lines(call.parameters, "    ")}
    api_key: '{key_text}'
  }})
  const response = await fetch(`{gate_url}{call.path}?${{parameters}}`)
  const answer = await response.json()
  document.getElementById('answer').textContent = JSON.stringify(answer, null, 2)
</script>
"""


def _python(gate_url: str, key_text: str, call: _Call) -> str:
    pairs = "\n".join(f'    "{name}": "{value}",' for name, value in call.parameters.items())
    return f"""\
import json
from urllib.parse import urlencode
from urllib.request import urlopen

parameters = {{
{pairs}
    "api_key": "{key_text}",
}}
with urlopen("{gate_url}{call.path}?" + urlencode(parameters)) as response:
    print(json.dumps(json.load(response), indent=2, ensure_ascii=False))
"""


def _goong_js(gate_url: str, key_text: str) -> str:
    library = f"{_CDN}/@goongmaps/goong-js@{GOONG_JS_VERSION}/dist/goong-js"
    script = f"""\
  goongjs.accessToken = '{key_text}'
  goongjs.baseApiUrl = '{gate_url}'
  const map = new goongjs.Map({{
    container: 'map',
    style: 'https://tiles.goong.io/assets/{_STYLE}',
    center: [105.8342, 21.0278],
    zoom: 13
  }})"""
    return _map_page(library, script)


def _maplibre(style_url: str) -> str:
    library = f"{_CDN}/maplibre-gl@{MAPLIBRE_VERSION}/dist/maplibre-gl"
    script = f"""\
  const map = new maplibregl.Map({{
    container: 'map',
    style: '{style_url}',
    center: [105.8342, 21.0278],
    zoom: 13
  }})"""
    return _map_page(library, script)


def _map_page(library: str, script: str) -> str:
    return f"""\
<!doctype html>
<meta charset="utf-8">
<title>My map</title>
<link rel="stylesheet" href="{library}.css">
<style>html, body, #map {{ height: 100%; margin: 0 }}</style>
<div id="map"></div>
<script src="{library}.js"></script>
<script>
{script}
</script>
"""


def _object(parameters: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{name}: '{value}'" for name, value in parameters.items()) + " }"


def _lines(parameters: dict[str, str], indent: str) -> str:
    return f"\n{indent}".join(f"{name}: '{value}'," for name, value in parameters.items())


def _caution(runs_on: RunsOn, restrictions: Sequence[str], allows_no_origin: bool) -> Caution:
    entries = [entry for entry in entries_read(restrictions) if entry.parsed is not None]
    has_sites, has_addresses = any(e.is_site for e in entries), any(not e.is_site for e in entries)
    match runs_on:
        case RunsOn.WEB_PAGE if has_sites:
            return Caution.FROM_SITE
        case RunsOn.WEB_PAGE if has_addresses:
            return Caution.NEEDS_SITE
        case RunsOn.SERVER if has_sites and not has_addresses and not allows_no_origin:
            return Caution.NEEDS_ADDRESS
        case RunsOn.SERVER if has_addresses and not allows_no_origin:
            return Caution.FROM_ADDRESS
        case RunsOn.TERMINAL if has_addresses and not has_sites:
            return Caution.FROM_ADDRESS
    return Caution.NONE
