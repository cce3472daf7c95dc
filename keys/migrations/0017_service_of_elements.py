"""A unit more: an element of a matrix."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0016_key_month_limits")]

    operations = [
        migrations.AlterField(
            model_name="service",
            name="unit",
            field=models.CharField(
                choices=[
                    ("request", "request"),
                    ("map_load", "map load"),
                    ("element", "element of a matrix"),
                    ("none", "part of a map load"),
                ],
                default="request",
                max_length=10,
            ),
        ),
    ]
