"""Web sites that a key is refused from, whatever its restriction list says."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0009_key_name_index")]
    operations = [
        migrations.CreateModel(
            name="BlockedOrigin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.CharField(help_text="In normal form; with every scheme and port.", max_length=253)),
                ("created_at", models.DateTimeField()),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="blocked_origins", to="keys.apikey"
                    ),
                ),
            ],
            options={
                "ordering": ["host"],
                "constraints": [models.UniqueConstraint(fields=("key", "host"), name="blockedorigin_once_per_key")],
            },
        ),
    ]
