"""Which language a user reads: the one they chose, and the one that their browser asked for."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_personal_tokens")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True,
                choices=[("en", "English"), ("vi", "Tiếng Việt")],
                help_text="Empty: as the browser says.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="browser_language",
            field=models.CharField(blank=True, help_text="As of the last sign-in.", max_length=10),
        ),
    ]
