"""Every statement line has a place, days, and a net sum."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0008_fill_statement_lines")]
    operations = [
        migrations.AlterField("statementline", "position", models.PositiveSmallIntegerField()),
        migrations.AlterField("statementline", "first_on", models.DateField()),
        migrations.AlterField("statementline", "last_on", models.DateField()),
        migrations.AlterField("statementline", "credit_micro_usd", models.BigIntegerField()),
        migrations.AddField(
            "statementline",
            "net_micro_usd",
            models.GeneratedField(
                db_persist=True,
                expression=models.F("amount_micro_usd") - models.F("credit_micro_usd"),
                output_field=models.BigIntegerField(),
            ),
        ),
        migrations.AddConstraint(
            "statementline",
            models.UniqueConstraint(fields=("statement", "position"), name="statementline_once_per_position"),
        ),
        migrations.AddConstraint(
            "statementline",
            models.CheckConstraint(
                condition=models.Q(("first_on__lte", models.F("last_on"))), name="statementline_has_days"
            ),
        ),
    ]
