"""Notices, who has read them, and to whom they were mailed."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def _of_notice(related_name: str) -> models.Field:  # type: ignore[type-arg]
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to="accounts.notice",
    )


def _of_user(related_name: str) -> models.Field:  # type: ignore[type-arg]
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name=related_name, to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_append_only_audit")]
    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", _ID.clone()),
                ("kind", models.CharField(max_length=40)),
                (
                    "source",
                    models.CharField(help_text="What it is about; the same again is no new notice.", max_length=200),
                ),
                ("facts", models.JSONField(default=dict)),
                ("permission", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField()),
                ("mailed_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "kind", "source"), name="notice_once"),
                ],
                "indexes": [
                    models.Index(fields=["account", "-id"], name="notice_newest"),
                    models.Index(fields=["created_at"], name="notice_age"),
                    models.Index(condition=models.Q(("mailed_at", None)), fields=["id"], name="notice_to_be_mailed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeRead",
            fields=[
                ("id", _ID.clone()),
                ("read_at", models.DateTimeField()),
                ("notice", _of_notice("reads")),
                ("user", _of_user("notices_read")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("notice", "user"), name="noticeread_once")],
            },
        ),
        migrations.CreateModel(
            name="NoticeMail",
            fields=[
                ("id", _ID.clone()),
                ("sent_at", models.DateTimeField()),
                ("notice", _of_notice("mails")),
                ("user", _of_user("notice_mails")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("notice", "user"), name="noticemail_once")],
            },
        ),
    ]
