"""E-mail addresses are unique in the form in which they are looked up, so that the index answers."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_plans")]
    operations = [
        migrations.AddConstraint("user", models.UniqueConstraint(Upper("email"), name="user_email_once_in_any_case")),
        migrations.RemoveConstraint("user", "user_email_any_case_unique"),
    ]
