"""What happens to a key that is suddenly used far more than usual."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0011_key_origin")]
    operations = [
        migrations.AddField(
            model_name="apikey",
            name="on_spike",
            field=models.CharField(
                choices=[
                    ("report", "Only tell me"),
                    ("quota", "Cut it for the day"),
                    ("disable", "Disable it"),
                ],
                default="report",
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="spiked_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When it was cut or disabled for its use; empty when lifted.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="spike_quota",
            field=models.PositiveIntegerField(
                blank=True,
                editable=False,
                help_text="Requests on the day of `spiked_at` that it is cut to.",
                null=True,
            ),
        ),
    ]
