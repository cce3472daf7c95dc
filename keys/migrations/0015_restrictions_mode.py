"""A key's list may be for report only: what it would refuse passes and is recorded as such."""

from __future__ import annotations

from django.db import migrations, models

MODES = [("enforced", "Enforced"), ("report_only", "Report only")]


class Migration(migrations.Migration):
    dependencies = [("keys", "0014_rotation")]
    operations = [
        migrations.AddField(
            model_name="apikey",
            name="restrictions_mode",
            field=models.CharField(
                max_length=11,
                choices=MODES,
                default="enforced",
                help_text="For report only, a request that the list would refuse passes, and is recorded as such.",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(restrictions_mode__in=["enforced", "report_only"]),
                name="apikey_restrictions_mode_known",
            ),
        ),
    ]
