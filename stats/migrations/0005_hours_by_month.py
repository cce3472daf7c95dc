"""Hourly sums in partitions of a month, so that those of a month gone by are dropped and not deleted one by one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import migrations

# Nothing finds a row by its id, which therefore has no index any more.
CREATE_HOURS = """
ALTER TABLE stats_hourlyusage RENAME TO stats_hourlyusage_whole;
ALTER INDEX hourlyusage_once RENAME TO hourlyusage_whole_once;
ALTER SEQUENCE stats_hourlyusage_id_seq RENAME TO stats_hourlyusage_whole_id_seq;
CREATE SEQUENCE stats_hourlyusage_id_seq;
CREATE TABLE stats_hourlyusage (
    id bigint NOT NULL DEFAULT nextval('stats_hourlyusage_id_seq'),
    account_id bigint NOT NULL,
    key_id bigint NOT NULL,
    hour_at timestamptz NOT NULL,
    n_requests bigint NOT NULL,
    units bigint NOT NULL,
    cost_micro_usd bigint NOT NULL,
    service_id bigint,
    outcome smallint NOT NULL,
    CONSTRAINT hourlyusage_once UNIQUE NULLS NOT DISTINCT (account_id, hour_at, key_id, service_id, outcome)
) PARTITION BY RANGE (hour_at);
ALTER SEQUENCE stats_hourlyusage_id_seq OWNED BY stats_hourlyusage.id;
"""
MOVE = """
INSERT INTO stats_hourlyusage
    (account_id, key_id, hour_at, n_requests, units, cost_micro_usd, service_id, outcome)
SELECT account_id, key_id, hour_at, n_requests, units, cost_micro_usd, service_id, outcome
FROM stats_hourlyusage_whole ORDER BY account_id, hour_at;
DROP TABLE stats_hourlyusage_whole;
"""


def move_hours(apps: Any, schema_editor: Any) -> None:
    from stats.partitions import HOURS, partitions_ensure

    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT (hour_at AT TIME ZONE %s)::date FROM stats_hourlyusage_whole", [settings.BILLING_TIME_ZONE]
        )
        partitions_ensure({day for (day,) in cursor.fetchall()}, zone=settings.BILLING_ZONE, table=HOURS)
        cursor.execute(MOVE)


class Migration(migrations.Migration):
    dependencies = [("stats", "0004_minute_usage")]
    operations = [migrations.RunSQL(CREATE_HOURS), migrations.RunPython(move_hours)]
