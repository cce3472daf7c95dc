"""Each member says whether notices are mailed to them."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_notice")]
    operations = [
        migrations.AddField(
            model_name="membership",
            name="mails_notices",
            field=models.BooleanField(default=True, help_text="Notices of the account are mailed to this member."),
        ),
    ]
