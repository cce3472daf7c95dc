"""An outcome more: a key may be held to some services of its type."""

from __future__ import annotations

from django.db import migrations, models

OUTCOMES = [
    (0, "Allowed"),
    (1, "No key"),
    (2, "Unknown key"),
    (3, "Key deleted"),
    (4, "Key disabled"),
    (5, "Key expired"),
    (6, "Wrong key type"),
    (7, "Origin not allowed"),
    (8, "Rate limit"),
    (9, "Daily quota"),
    (10, "Monthly quota"),
    (11, "Credit used up"),
    (12, "No such service"),
    (13, "Store unavailable"),
    (14, "Service not allowed"),
]


class Migration(migrations.Migration):
    dependencies = [("stats", "0001_initial")]
    operations = [
        migrations.AlterField(
            model_name=model, name="outcome", field=models.PositiveSmallIntegerField(choices=OUTCOMES)
        )
        for model in ("usagerecord", "hourlyusage", "dailyusage")
    ]
