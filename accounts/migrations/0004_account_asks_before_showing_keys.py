"""Whether showing a key asks for a recent sign-in."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_email_found_in_any_case")]
    operations = [
        migrations.AddField(
            model_name="account",
            name="asks_before_showing_keys",
            field=models.BooleanField(default=False, help_text="Showing a key's text asks for a recent sign-in."),
        ),
    ]
