"""At which parts of its money an account is told, and how far its spending was looked at."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_personal_tokens"),
        ("billing", "0010_check"),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertCursor",
            fields=[
                ("shard", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("n_watched", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="AlertThresholds",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="alert_thresholds",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                (
                    "percents",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        help_text="Ascending; empty: nothing is told.",
                        size=None,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "alert thresholds",
            },
        ),
    ]
