"""Sums by minute, in partitions of a day. Made in SQL: Django knows no partitions."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

# The key begins with the account; nothing finds a row by its id, which therefore has no index.
CREATE_MINUTES = """
CREATE SEQUENCE stats_minuteusage_id_seq;
CREATE TABLE stats_minuteusage (
    id bigint NOT NULL DEFAULT nextval('stats_minuteusage_id_seq'),
    account_id bigint NOT NULL,
    key_id bigint NOT NULL,
    minute_at timestamptz NOT NULL,
    n_requests bigint NOT NULL,
    units bigint NOT NULL,
    cost_micro_usd bigint NOT NULL,
    service_id bigint,
    outcome smallint NOT NULL,
    CONSTRAINT minuteusage_once UNIQUE NULLS NOT DISTINCT (account_id, minute_at, key_id, service_id, outcome)
) PARTITION BY RANGE (minute_at);
ALTER SEQUENCE stats_minuteusage_id_seq OWNED BY stats_minuteusage.id;
"""
OUTCOMES = [
    (0, "Allowed"),
    (1, "No key"),
    (2, "Unknown key"),
    (3, "Key deleted"),
    (4, "Key disabled"),
    (5, "Key expired"),
    (6, "Wrong key type"),
    (7, "Origin not allowed"),
    (8, "Rate limit"),
    (9, "Daily quota"),
    (10, "Monthly quota"),
    (11, "Credit used up"),
    (12, "No such service"),
    (13, "Store unavailable"),
    (14, "Service not allowed"),
]


def loose(to: str, **options: bool) -> models.ForeignKey:
    return models.ForeignKey(
        to,
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("stats", "0003_record_country")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE_MINUTES, "DROP TABLE stats_minuteusage")],
            state_operations=[
                migrations.CreateModel(
                    name="MinuteUsage",
                    fields=[
                        ("outcome", models.PositiveSmallIntegerField(choices=OUTCOMES)),
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("n_requests", models.BigIntegerField()),
                        ("units", models.BigIntegerField()),
                        ("cost_micro_usd", models.BigIntegerField()),
                        ("minute_at", models.DateTimeField()),
                        ("account", loose("accounts.account")),
                        ("key", loose("keys.apikey")),
                        ("service", loose("keys.service", null=True)),
                    ],
                    options={
                        "verbose_name_plural": "minute usage",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("account", "minute_at", "key", "service", "outcome"),
                                name="minuteusage_once",
                                nulls_distinct=False,
                            )
                        ],
                    },
                )
            ],
        )
    ]
