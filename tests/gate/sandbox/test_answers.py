"""Which service a path names, and that nothing a caller sends makes the sandbox fail."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gate.sandbox
from gate.sandbox import SandboxAnswer, sandbox_answer
from tests.gate.sandbox.reading import BASE_URL, ask, refusal

ROUTE = "origin=21.02,105.83&destination=21.03,105.85"
REST_REQUESTS = [
    ("/Place/AutoComplete", "input=cafe"),
    ("/Place/Detail", "placeid=x"),
    ("/Geocode", "address=cafe"),
    ("/Direction", ROUTE),
    ("/DistanceMatrix", "origins=21.02,105.83&destinations=21.03,105.85"),
    ("/trip", ROUTE),
]


@pytest.mark.parametrize(("path", "query"), REST_REQUESTS)
def test_path_case_and_version_do_not_matter(path: str, query: str) -> None:
    answer = ask(path, query)
    assert answer.status == 200
    assert ask(path.upper(), query) == ask(path.lower(), query) == ask(f"/v2{path}".lower(), query) == answer


def test_place_children_exist_in_the_second_version_only() -> None:
    assert ask("/v2/place/children", "parent_id=x").status == 200
    assert ask("/place/children", "parent_id=x").status == 404


def test_static_map_exists_in_the_first_version_only() -> None:
    assert ask("/v2/staticmap/route", ROUTE).status == 404


@pytest.mark.parametrize("path", ["", "/", "/nope", "/assets/nope.json", "/sources/nope.json", "/sprite/nope.json"])
def test_unknown_path_is_not_found(path: str) -> None:
    assert refusal(ask(path))[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/place/autocomplete", "input"),
        ("/place/detail", "place_id"),
        ("/v2/place/children", "parent_id"),
        ("/geocode", "address"),
        ("/direction", "origin"),
        ("/distancematrix", "origins"),
        ("/trip", "origin"),
        ("/staticmap/route", "origin"),
    ],
)
def test_missing_parameter_is_named(path: str, name: str) -> None:
    status, code, message = refusal(ask(path, "api_key=K"))
    assert (status, code) == (400, "INVALID_REQUEST")
    assert f"'{name}'" in message


def test_too_many_parameters_are_refused() -> None:
    assert refusal(ask("/geocode", "&".join(["a=b"] * 1000)))[0] == 400


PATHS = st.one_of(
    st.text(),
    st.sampled_from([path for path, _ in REST_REQUESTS] + ["/staticmap/route", "/v2/place/children"]),
    st.builds(
        "/tiles/{}/{}/{}/{}.{}".format, *[st.text(max_size=12) | st.integers().map(str)] * 4, st.text(max_size=5)
    ),
    st.builds("/tiles/base/{}/{}/{}.pbf".format, *[st.integers(-1, 20)] * 3),
    st.builds("/fonts/{}/{}-{}.pbf".format, st.text(max_size=9), st.integers(-1, 99999), st.integers(-1, 99999)),
    st.builds("/{}/{}.json".format, st.sampled_from(["assets", "sources", "sprite"]), st.text(max_size=9)),
)
NAMES = st.sampled_from(
    [
        "input",
        "limit",
        "location",
        "radius",
        "place_id",
        "placeid",
        "parent_id",
        "address",
        "latlng",
        "origin",
        "origins",
        "destination",
        "destinations",
        "waypoints",
        "vehicle",
        "alternatives",
        "width",
        "height",
        "type",
        "color",
        "api_key",
        "more_compound",
    ]
)
VALUES = st.one_of(
    st.text(),
    st.integers().map(str),
    st.builds("{},{}".format, st.floats(), st.floats()),
    st.builds("sandbox.{}".format, st.text(max_size=40)),
)
QUERIES = st.one_of(
    st.text(),
    st.dictionaries(NAMES, VALUES).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs.items())),
)


@settings(deadline=None)
@given(PATHS, QUERIES)
@example("/geocode", "latlng=nan,nan")
@example("/geocode", "latlng=1e999,0")
@example("/geocode", "place_id=sandbox.AAAA")
@example("/geocode", "place_id=sandbox.bmFuLG5hbix4")
@example("/geocode", "address=\ud800")
@example("/place/autocomplete", "input=x&limit=²")
@example("/place/autocomplete", "input=x&location=90,180")
@example("/tiles/base/²/0/0.pbf", "")
@example("/tiles/base/99999999999999999999/0/0.pbf", "")
@example("/staticmap/route", "origin=90,180&destination=-90,-180&width=1280&height=16")
@example("/staticmap/route", "origin=1,1&destination=1,1&width=99999999999")
@example("/assets/goong_map_web.json", "api_key=\ud800")
def test_every_request_gets_an_answer(path: str, query: str) -> None:
    answer = sandbox_answer(path=path, query=query, base_url=BASE_URL)
    assert isinstance(answer, SandboxAnswer)
    assert answer.status in (200, 400, 404)
    if answer.status != 200:
        assert refusal(answer)[2]


def test_sandbox_is_pure() -> None:
    forbidden = {"django", "redis", "socket", "time", "datetime", "random", "asyncio", "os", "goongdash"}
    for file in Path(gate.sandbox.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & forbidden, file.name
