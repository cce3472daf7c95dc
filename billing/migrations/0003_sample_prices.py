"""Made-up prices, marked as samples: Goong does not publish its own."""

from __future__ import annotations

from datetime import date

from django.db import migrations

# Micro-dollars for one unit. What is part of a map load has no price.
PRICES = {
    "autocomplete": 2_000,
    "autocomplete-v2": 2_000,
    "place-detail": 4_000,
    "place-detail-v2": 4_000,
    "place-children-v2": 4_000,
    "geocode": 5_000,
    "geocode-v2": 5_000,
    "directions": 5_000,
    "directions-v2": 5_000,
    "distance-matrix": 8_000,
    "distance-matrix-v2": 8_000,
    "trip": 10_000,
    "trip-v2": 10_000,
    "static-map": 2_000,
    "map-load": 7_000,
}


def add_prices(apps, schema_editor):
    Service = apps.get_model("keys", "Service")
    Price = apps.get_model("billing", "Price")
    for service in Service.objects.filter(slug__in=PRICES):
        Price.objects.create(
            service=service,
            price_micro_usd=PRICES[service.slug],
            effective_on=date(2020, 1, 1),
            is_sample=True,
        )


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_append_only_ledger"), ("keys", "0002_services")]
    operations = [migrations.RunPython(add_prices, migrations.RunPython.noop)]
