"""Prices by tiers: from a volume on, another price. A price of before has one tier, and stays what it was."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_budget")]

    operations = [
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(("price_micro_usd__lte", 10_000_000_000)), name="price_bounded"
            ),
        ),
        migrations.CreateModel(
            name="PriceTier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "from_units",
                    models.PositiveBigIntegerField(
                        help_text="How many units of a month come before this tier: 1000 holds from the 1001st on."
                    ),
                ),
                ("price_micro_usd", models.BigIntegerField(help_text="For one unit, in micro-dollars.")),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tiers", to="billing.price"
                    ),
                ),
            ],
            options={
                "ordering": ["from_units"],
                "constraints": [
                    models.UniqueConstraint(fields=("price", "from_units"), name="pricetier_once_per_volume"),
                    models.CheckConstraint(
                        condition=models.Q(("from_units__gte", 1), ("from_units__lte", 1_000_000_000_000)),
                        name="pricetier_after_the_first",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price_micro_usd__gte", 0), ("price_micro_usd__lte", 10_000_000_000)),
                        name="pricetier_bounded",
                    ),
                ],
            },
        ),
    ]
