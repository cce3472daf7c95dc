"""Writing Mapbox vector tiles, version 2: layers of points, lines and polygons with properties.

Format: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gate.sandbox.protobuf import bytes_field, number_field, packed_field, text_field, zigzag

EXTENT = 4096
Value = str | int
Path = list[tuple[int, int]]


class Shape(IntEnum):
    POINT = 1
    LINE = 2
    POLYGON = 3


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing on the map: its paths in tile units (0 to EXTENT, y down) and its properties."""

    shape: Shape
    paths: list[Path]
    properties: dict[str, Value]


def encode_tile(layers: dict[str, list[Feature]]) -> bytes:
    """The tile; empty layers are left out, as the specification asks."""
    return b"".join(bytes_field(3, _encode_layer(name, features)) for name, features in layers.items() if features)


def _encode_layer(name: str, features: list[Feature]) -> bytes:
    keys: dict[str, int] = {}
    values: dict[Value, int] = {}
    encoded = [bytes_field(2, _encode_feature(feature, keys, values)) for feature in features]
    return b"".join(
        (
            text_field(1, name),
            *encoded,
            *(text_field(3, key) for key in keys),
            *(bytes_field(4, _encode_value(value)) for value in values),
            number_field(5, EXTENT),
            number_field(15, 2),
        )
    )


def _encode_feature(feature: Feature, keys: dict[str, int], values: dict[Value, int]) -> bytes:
    """The feature's message; keys and values it brings are added to the layer's tables."""
    tags: list[int] = []
    for key, value in feature.properties.items():
        tags += (keys.setdefault(key, len(keys)), values.setdefault(value, len(values)))
    return (
        packed_field(2, tags)
        + number_field(3, feature.shape)
        + packed_field(4, _commands(feature.shape, feature.paths))
    )


def _encode_value(value: Value) -> bytes:
    return text_field(1, value) if isinstance(value, str) else number_field(5, value)


def _commands(shape: Shape, paths: list[Path]) -> list[int]:
    """MoveTo (1), LineTo (2) and ClosePath (7), each with how often, then steps from the point before."""
    commands: list[int] = []
    x, y = 0, 0
    for path in paths:
        for order, point in enumerate(path):
            if order == 0:
                commands.append(1 | 1 << 3)
            elif order == 1:
                commands.append(2 | (len(path) - 1) << 3)
            commands += (zigzag(point[0] - x), zigzag(point[1] - y))
            x, y = point
        if shape is Shape.POLYGON:
            commands.append(7 | 1 << 3)
    return commands
