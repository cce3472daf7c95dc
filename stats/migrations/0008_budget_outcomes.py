"""Two outcomes more: a key's spend cap, and the budget that an account has set itself."""

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
    (15, "Key’s spend cap reached"),
    (16, "Account’s budget used up"),
]


class Migration(migrations.Migration):
    dependencies = [("stats", "0007_record_would_refuse")]
    operations = [
        migrations.AlterField(
            model_name=model, name="outcome", field=models.PositiveSmallIntegerField(choices=OUTCOMES)
        )
        for model in ("usagerecord", "minuteusage", "hourlyusage", "dailyusage", "dailyoriginusage")
    ]
