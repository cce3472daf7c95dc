from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0005_key_rate_limit")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="services",
            field=models.ManyToManyField(
                blank=True,
                help_text="What the key opens; none chosen is all of its type.",
                related_name="+",
                to="keys.service",
            ),
        ),
    ]
