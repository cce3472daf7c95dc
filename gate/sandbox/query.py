"""The query string of a request to the sandbox: names in any case, of several values the last one counts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from gate.sandbox.geo import LatLng, read_point


class BadParameter(Exception):
    """A parameter is missing or can't be read; the text names it, and becomes a 400 in `sandbox_answer`."""


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of one request, by lower-case name."""

    values: dict[str, str]

    def get(self, *names: str) -> str:
        """The first of these that is there and not blank, or an empty string."""
        return next((value for name in names if (value := self.values.get(name, "").strip())), "")

    def required(self, *names: str) -> str:
        if value := self.get(*names):
            return value
        raise BadParameter(f"The parameter '{names[0]}' is required.")

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        text = self.get(name)
        if not text:
            return default
        # The length is looked at first: int() of thousands of digits is slow, and refused by Python.
        if len(text) > 9 or not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
            raise BadParameter(f"The parameter '{name}' must be a whole number from {low} to {high}.")
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of `choices`; the first of them where the caller names none."""
        value = self.get(name).lower() or choices[0]
        if value not in choices:
            raise BadParameter(f"The parameter '{name}' must be one of: {', '.join(choices)}.")
        return value

    def flag(self, name: str) -> bool:
        return self.get(name).lower() in {"1", "true"}

    def points(self, name: str, *, separator: str, limit: int) -> list[LatLng]:
        """The points of a required list, at most `limit`."""
        return _points(self.required(name), name=name, separator=separator, limit=limit)

    def optional_points(self, name: str, *, separator: str, limit: int) -> list[LatLng]:
        text = self.get(name)
        return _points(text, name=name, separator=separator, limit=limit) if text else []

    def point(self, name: str) -> LatLng:
        return self.points(name, separator=";", limit=1)[0]


def read_query(text: str) -> Query:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        raise BadParameter("There are too many parameters.") from None
    return Query({name.lower(): value for name, value in pairs})


def _points(text: str, *, name: str, separator: str, limit: int) -> list[LatLng]:
    parts = text.split(separator)
    if len(parts) > limit:
        raise BadParameter(f"The parameter '{name}' holds more than {limit} point{'s' * (limit > 1)}.")
    points = [read_point(part) for part in parts]
    found = [point for point in points if point is not None]
    if len(found) != len(parts):
        raise BadParameter(f"The parameter '{name}' must hold points such as 21.0278,105.8342.")
    return found
