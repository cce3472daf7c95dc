from __future__ import annotations

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0008_key_use")]

    operations = [
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(
                models.F("account"), django.db.models.functions.text.Upper("name"), name="apikey_account_name"
            ),
        ),
    ]
