"""A record in fewer bytes, and added in half the time: narrower numbers, and two indexes that cost little.

Measured with a million records of ten thousand accounts: the key (account, at, id) took 59 bytes a record and the
index of ids 22; an index of (account, at) takes 38, as it holds each instant of an account once, and block ranges of
ids nearly nothing. Ids are unique because the cursor counts them, and come in order, which is what ranges need.
"""

from __future__ import annotations

from django.db import migrations, models

SLIM = """
DROP INDEX stats_usagerecord_id;
ALTER TABLE stats_usagerecord
    DROP CONSTRAINT stats_usagerecord_pkey,
    ALTER COLUMN cost_micro_usd TYPE integer,
    ALTER COLUMN service_id TYPE integer;
CREATE INDEX stats_usagerecord_account_at ON stats_usagerecord (account_id, at);
CREATE INDEX stats_usagerecord_ids ON stats_usagerecord
    USING brin (id int8_minmax_multi_ops) WITH (autosummarize = on);
"""
WIDEN = """
DROP INDEX stats_usagerecord_account_at, stats_usagerecord_ids;
ALTER TABLE stats_usagerecord
    ADD PRIMARY KEY (account_id, at, id),
    ALTER COLUMN cost_micro_usd TYPE bigint,
    ALTER COLUMN service_id TYPE bigint;
CREATE INDEX stats_usagerecord_id ON stats_usagerecord (id);
"""


class Migration(migrations.Migration):
    dependencies = [("stats", "0008_budget_outcomes")]
    operations = [
        migrations.RunSQL(
            SLIM,
            WIDEN,
            state_operations=[
                migrations.AlterField(
                    model_name="usagerecord", name="cost_micro_usd", field=models.PositiveIntegerField()
                )
            ],
        )
    ]
