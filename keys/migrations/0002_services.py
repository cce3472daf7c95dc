"""Every service of the reference: the paths that call it and the key type that opens it."""

from __future__ import annotations

from django.db import migrations

# slug, name, version, key type, unit, path
SERVICES = [
    ("autocomplete", "Autocomplete", "v1", "rest", "request", "/place/autocomplete"),
    ("autocomplete-v2", "Autocomplete", "v2", "rest", "request", "/v2/place/autocomplete"),
    ("place-detail", "Place detail", "v1", "rest", "request", "/place/detail"),
    ("place-detail-v2", "Place detail", "v2", "rest", "request", "/v2/place/detail"),
    ("place-children-v2", "Place children", "v2", "rest", "request", "/v2/place/children"),
    ("geocode", "Geocode", "v1", "rest", "request", "/geocode"),
    ("geocode-v2", "Geocode", "v2", "rest", "request", "/v2/geocode"),
    ("directions", "Directions", "v1", "rest", "request", "/direction"),
    ("directions-v2", "Directions", "v2", "rest", "request", "/v2/direction"),
    ("distance-matrix", "Distance matrix", "v1", "rest", "request", "/distancematrix"),
    ("distance-matrix-v2", "Distance matrix", "v2", "rest", "request", "/v2/distancematrix"),
    ("trip", "Trip", "v1", "rest", "request", "/trip"),
    ("trip-v2", "Trip", "v2", "rest", "request", "/v2/trip"),
    ("static-map", "Static map", "v1", "rest", "request", "/staticmap/route"),
    ("map-load", "Map load", "", "tiles", "map_load", "/assets/*.json"),
    ("tilejson", "TileJSON", "", "tiles", "none", "/sources/*.json"),
    ("sprites", "Sprites", "", "tiles", "none", "/sprite/*"),
    ("glyphs", "Glyphs", "", "tiles", "none", "/fonts/*/*.pbf"),
    ("tiles", "Tiles", "", "tiles", "none", "/tiles/*/*/*/*"),
]


def add_services(apps, schema_editor):
    Service = apps.get_model("keys", "Service")
    for position, (slug, name, version, key_type, unit, path) in enumerate(SERVICES):
        Service.objects.create(
            slug=slug,
            name=name,
            api_version=version,
            key_type=key_type,
            unit=unit,
            path=path,
            position=position,
        )


class Migration(migrations.Migration):
    dependencies = [("keys", "0001_initial")]
    operations = [migrations.RunPython(add_services, migrations.RunPython.noop)]
