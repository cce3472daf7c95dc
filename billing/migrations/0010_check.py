"""What the hourly comparison of statistics, ledger and statements found."""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_statement_lines_add_up")]
    operations = [
        migrations.CreateModel(
            name="Check",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True)),
                (
                    "records_from_on",
                    models.DateField(help_text="Raw records were read from this day on; empty: all.", null=True),
                ),
                ("holds", models.BooleanField()),
                ("first_difference", models.TextField(blank=True)),
                ("n_differences", models.PositiveIntegerField(default=0)),
                (
                    "account_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="Whose sums differ, some of them.",
                        size=None,
                    ),
                ),
                ("totals", models.JSONField(default=dict)),
            ],
            options={"ordering": ["-at", "-id"]},
        )
    ]
