from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0007_key_version")]

    operations = [
        migrations.CreateModel(
            name="KeyUse",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="use",
                        serialize=False,
                        to="keys.apikey",
                    ),
                ),
                ("used_at", models.DateTimeField()),
                ("origin", models.CharField(blank=True, max_length=255)),
                ("ip", models.GenericIPAddressField()),
            ],
        ),
    ]
