"""The cursor knows since when stored records wait for the rollup, which may let them wait for others."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stats", "0010_cursor_new_since")]
    operations = [
        migrations.AddField("shardcursor", "waiting_since", models.DateTimeField(null=True)),
    ]
