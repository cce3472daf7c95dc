"""From which origins keys were let pass."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0010_blocked_origin")]
    operations = [
        migrations.CreateModel(
            name="KeyOrigin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "origin",
                    models.CharField(blank=True, help_text="Empty where requests named none.", max_length=255),
                ),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("n_requests", models.BigIntegerField()),
                ("hour_at", models.DateTimeField()),
                ("n_hour", models.BigIntegerField()),
                ("weighed_at", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="origins",
                        to="keys.apikey",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("key", "origin"), name="keyorigin_once")],
                "indexes": [
                    models.Index(fields=["hour_at"], name="keyorigin_hour"),
                    models.Index(
                        condition=models.Q(("weighed_at", None)), fields=["id"], name="keyorigin_to_be_weighed"
                    ),
                ],
            },
        ),
    ]
