"""What was changed, and by whom."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_invitation")]
    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[
                            ("member", "Member"),
                            ("operator", "Operator"),
                            ("command", "Command"),
                            ("system", "System"),
                        ],
                        max_length=10,
                    ),
                ),
                ("actor_id", models.BigIntegerField(null=True)),
                (
                    "actor_name",
                    models.CharField(help_text="An e-mail address or the name of a command.", max_length=254),
                ),
                (
                    "action",
                    models.CharField(help_text="The kind of the object, a dot, what happened to it.", max_length=40),
                ),
                ("object_kind", models.CharField(max_length=20)),
                ("object_id", models.BigIntegerField(null=True)),
                ("object_name", models.CharField(blank=True, max_length=254)),
                ("changes", models.JSONField(default=dict, help_text="From and to, by the name of what changed.")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_entries",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["account", "-id"], name="auditentry_newest"),
                    models.Index(fields=["account", "object_kind", "object_id", "-id"], name="auditentry_of_object"),
                    models.Index(fields=["account", "actor_name", "-id"], name="auditentry_of_actor"),
                    models.Index(fields=["at"], name="auditentry_age"),
                ],
            },
        ),
    ]
