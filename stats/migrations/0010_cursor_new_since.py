"""The cursor knows since when there are records that the rollup has not added, so that it looks at no older ones."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stats", "0009_slim_records")]
    operations = [
        migrations.AddField(model_name="shardcursor", name="new_since", field=models.DateTimeField(null=True))
    ]
