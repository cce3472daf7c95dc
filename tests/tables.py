"""Takes away what a test has committed, and leaves in every table what the migrations had put there.

Django's own `flush` has every table's file made anew, then every permission, one by one.
"""

from __future__ import annotations

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction

# Where the rows of the migrations are kept, in tables of the same names.
KEPT = "kept"
# Triggers refuse any other way.
APPEND_ONLY = ["accounts_auditentry", "billing_ledgerentry"]
# Of every table that is cut by time.
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY(%s::regclass[])"
PARTITIONED = ["stats_usagerecord", "stats_minuteusage", "stats_hourlyusage"]


def keep_rows() -> None:
    """Remembers what is in the tables now, for `put_back`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {KEPT} CASCADE; CREATE SCHEMA {KEPT}")
        for table in _tables():
            cursor.execute(f"CREATE TABLE {KEPT}.{table} AS TABLE {table}")
            if not cursor.rowcount:
                cursor.execute(f"DROP TABLE {KEPT}.{table}")


def put_back() -> None:
    """At once, so that a running gate finds every service at any moment, with the id that it knows.

    Sequences begin again. Partitions are dropped: another test's zone may cut its days elsewhere.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PARTITIONS, [PARTITIONED])
        dropped = [f"DROP TABLE {partition}" for (partition,) in cursor.fetchall()]
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [KEPT])
        filled = [f"INSERT INTO {table} SELECT * FROM {KEPT}.{table}" for (table,) in cursor.fetchall()]
        deleted = [f"DELETE FROM {table}" for table in _tables() if table not in APPEND_ONLY]
        emptied = [f"TRUNCATE {', '.join(APPEND_ONLY)}", *deleted]
        reset = connection.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True))
        cursor.execute(";".join([*dropped, *emptied, *filled, *reset]))


def _tables() -> list[str]:
    return connection.introspection.django_table_names(only_existing=True, include_views=False)
