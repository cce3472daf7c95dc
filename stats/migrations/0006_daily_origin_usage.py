"""Daily sums by origin and country."""

from __future__ import annotations

import django.db.models.deletion
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


def loose(to: str, **options: bool) -> models.ForeignKey:
    return models.ForeignKey(
        to,
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("stats", "0005_hours_by_month")]
    operations = [
        migrations.CreateModel(
            name="DailyOriginUsage",
            fields=[
                ("outcome", models.PositiveSmallIntegerField(choices=OUTCOMES)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("n_requests", models.BigIntegerField()),
                ("units", models.BigIntegerField()),
                ("cost_micro_usd", models.BigIntegerField()),
                ("day_on", models.DateField()),
                ("origin", models.CharField(blank=True, max_length=255, null=True)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("account", loose("accounts.account")),
                ("key", loose("keys.apikey")),
                ("service", loose("keys.service", null=True)),
            ],
            options={
                "verbose_name_plural": "daily origin usage",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "day_on", "key", "origin", "country", "service", "outcome"),
                        name="dailyoriginusage_once",
                        nulls_distinct=False,
                    )
                ],
            },
        )
    ]
