"""What the services are called. They are data; the names that every installation begins with are known here."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SERVICE_NAMES: dict[str, Promise] = {
    "Autocomplete": _("Autocomplete"),
    "Directions": _("Directions"),
    "Distance matrix": _("Distance matrix"),
    "Geocode": _("Geocode"),
    "Glyphs": _("Glyphs"),
    "Map load": _("Map load"),
    "Place children": _("Place children"),
    "Place detail": _("Place detail"),
    "Sprites": _("Sprites"),
    "Static map": _("Static map"),
    "TileJSON": _("TileJSON"),
    "Tiles": _("Tiles"),
    "Trip": _("Trip"),
}


def service_name(name: str) -> str:
    """In the language of whoever reads; one that an operator has added or renamed is as it was written."""
    return str(SERVICE_NAMES.get(name, name))
