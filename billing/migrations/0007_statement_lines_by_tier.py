"""Statement lines say their price, tier and days, and what free credit paid of them."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

_KINDS = [("usage", "Usage"), ("difference", "Difference to the price list"), ("late", "Late usage")]


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_price_fits_a_record")]
    operations = [
        migrations.RemoveConstraint(model_name="statementline", name="statementline_once_per_service"),
        migrations.AlterModelOptions(name="statementline", options={"ordering": ["position"]}),
        migrations.AddField("statementline", "kind", models.CharField(choices=_KINDS, default="usage", max_length=10)),
        migrations.AddField("statementline", "position", models.PositiveSmallIntegerField(null=True)),
        migrations.AddField("statementline", "first_on", models.DateField(null=True)),
        migrations.AddField("statementline", "last_on", models.DateField(null=True)),
        migrations.AddField("statementline", "from_units", models.BigIntegerField(default=0)),
        migrations.AddField(
            "statementline",
            "unit_price_micro_usd",
            models.BigIntegerField(
                help_text="Empty where there is none, and in statements of before lines had prices.", null=True
            ),
        ),
        migrations.AddField("statementline", "credit_micro_usd", models.BigIntegerField(null=True)),
        migrations.AlterField(
            "statementline",
            "service",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="keys.service"
            ),
        ),
    ]
