"""How many units a request to a distance matrix has: one for each element, origins times destinations. Pure."""

from __future__ import annotations

from gate.facts import parameter
from keys.limits import MAX_ELEMENTS


def n_elements(query: bytes) -> int:
    """From 1 to MAX_ELEMENTS: a request that names no places is a request all the same."""
    return min(MAX_ELEMENTS, _n_places(query, b"origins") * _n_places(query, b"destinations"))


def _n_places(query: bytes, name: bytes) -> int:
    """Places are parted by bars; one that is empty is none."""
    return max(1, sum(bool(place.strip()) for place in parameter(query, name).split(b"|")))
