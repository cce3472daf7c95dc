from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0004_autocomplete_sessions")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="rate_limit",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Requests in the plan's window for each IP address; empty for the plan's.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate_limit", None), ("rate_limit__gte", 1), _connector="OR"),
                name="apikey_rate_limit_positive",
            ),
        ),
    ]
