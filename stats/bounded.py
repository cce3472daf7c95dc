"""Reads raw records within a bounded time: a page says that there are too many rather than keep its reader waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

MOST_MS = 2_000


class TookTooLong(Exception):
    """PostgreSQL has not found the answer in time."""


@contextmanager
def bounded(most_ms: int) -> Iterator[None]:
    """Raises TookTooLong where a query inside takes longer."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(most_ms)])
            yield
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise TookTooLong from error
