"""A record knows the country of its address."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stats", "0002_service_not_allowed")]
    operations = [
        migrations.AddField(
            model_name="usagerecord",
            name="country",
            field=models.CharField(
                blank=True, db_default="", help_text="Of the address; empty where nobody knows.", max_length=2
            ),
        ),
    ]
