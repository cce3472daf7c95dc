"""A service may have a part in autocomplete sessions."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0002_services")]
    operations = [
        migrations.AddField(
            model_name="service",
            name="session_role",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "no part of sessions"),
                    ("search", "search: the first of a session pays for all"),
                    ("detail", "detail: ends the session that pays for it"),
                ],
                default="",
                max_length=6,
            ),
        )
    ]
