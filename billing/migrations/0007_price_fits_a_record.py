"""A price is one that a usage record can hold as the cost of a request: two thousand dollars at the most."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_price_tiers")]
    operations = [
        migrations.RemoveConstraint(model_name="price", name="price_bounded"),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(("price_micro_usd__lte", 2_000_000_000)), name="price_bounded"
            ),
        ),
        migrations.RemoveConstraint(model_name="pricetier", name="pricetier_bounded"),
        migrations.AddConstraint(
            model_name="pricetier",
            constraint=models.CheckConstraint(
                condition=models.Q(("price_micro_usd__gte", 0), ("price_micro_usd__lte", 2_000_000_000)),
                name="pricetier_bounded",
            ),
        ),
    ]
