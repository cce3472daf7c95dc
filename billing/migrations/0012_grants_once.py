"""A grant is one by its account and source, whatever the month, as deposits, refunds and adjustments are.

No release came before it: there are no grants of one source in several months.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_alert_thresholds")]

    operations = [
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ["deposit", "refund", "adjustment", "grant"])),
                fields=("account", "kind", "source"),
                name="ledgerentry_move_once",
            ),
        ),
        migrations.RemoveConstraint(model_name="ledgerentry", name="ledgerentry_payment_once"),
    ]
