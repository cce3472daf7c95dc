"""What PostgreSQL would do for the queries of a block, where a sequential scan is the last thing it would do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

BIG_TABLES = (
    "stats_usagerecord",
    "stats_minuteusage",
    "stats_hourlyusage",
    "stats_dailyusage",
    "stats_dailyoriginusage",
)


@contextmanager
def no_scan_of_big_tables() -> Iterator[None]:
    """Fails for a query of usage that no index serves: a scan that is forbidden is planned only then."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        yield
    of_usage = [query["sql"] for query in captured if any(table in query["sql"] for table in BIG_TABLES)]
    assert of_usage
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in of_usage:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Index" in plan or "Result" in plan, plan
            for table in BIG_TABLES:
                assert f"Seq Scan on {table}" not in plan, plan
        cursor.execute("SET LOCAL enable_seqscan = on")
