"""A record says whether a report-only list would have refused its request, and the path that the page named.

The defaults are the database's, so that no partition is rewritten.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stats", "0006_daily_origin_usage")]
    operations = [
        migrations.AddField("usagerecord", "page_path", models.CharField(max_length=255, blank=True, db_default="")),
        migrations.AddField("usagerecord", "would_refuse", models.BooleanField(db_default=False)),
    ]
