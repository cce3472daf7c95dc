"""A key's own limits of a month: requests, and what it may cost."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0015_restrictions_mode")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="requests_per_month",
            field=models.PositiveIntegerField(
                blank=True, help_text="Of this key alone; empty for none but the account's.", null=True
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="spend_cap_micro_usd",
            field=models.BigIntegerField(
                blank=True,
                help_text="What the key may cost in a month, in micro-dollars; empty for no cap.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("requests_per_month", None), ("requests_per_month__gte", 1), _connector="OR"),
                    models.Q(("spend_cap_micro_usd", None), ("spend_cap_micro_usd__gte", 1), _connector="OR"),
                ),
                name="apikey_month_limits_positive",
            ),
        ),
    ]
