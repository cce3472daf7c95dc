"""The four plans, with the limits that Goong's help pages name."""

from __future__ import annotations

from django.db import migrations

# slug, name, deposit (VND), requests a day for a key, a month, map loads a month, rate, window (s), credit (µUSD)
PLANS = [
    ("free", "Free", None, 1_000, 30_000, 1_000, 5, 1, 100_000_000),
    ("basic", "Basic", 2_000_000, None, 100_000, None, 300, 60, 100_000_000),
    ("pro", "Pro", 5_000_000, None, 200_000, None, 420, 60, 100_000_000),
    ("business", "Business", 10_000_000, None, 400_000, None, 600, 60, 100_000_000),
]


def add_plans(apps, schema_editor):
    Plan = apps.get_model("accounts", "Plan")
    for position, (slug, name, deposit, day, month, loads, rate, window, credit) in enumerate(PLANS):
        Plan.objects.create(
            slug=slug,
            name=name,
            position=position,
            deposit_min_vnd=deposit,
            requests_per_day=day,
            requests_per_month=month,
            map_loads_per_month=loads,
            rate_limit=rate,
            rate_window_s=window,
            credit_micro_usd=credit,
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(add_plans, migrations.RunPython.noop)]
