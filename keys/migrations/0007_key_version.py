from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0006_key_services")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="version",
            field=models.PositiveIntegerField(
                default=1,
                editable=False,
                help_text="One more with each change: who edits an older one is told so.",
            ),
        ),
    ]
