from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0005_key_limits")]

    operations = [
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
                    models.Q(("spend_cap_micro_usd", None), ("spend_cap_micro_usd__gte", 1), _connector="OR")
                ),
                name="apikey_spend_cap_positive",
            ),
        ),
    ]
