"""A whole installation, as `make run` starts it, for the tests of the road through all of its processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.site.installation import Installation


@pytest.fixture(scope="session")
def site() -> Iterator[Installation]:
    """Everything running: dashboard, gate, ingest, worker, beat, and PostgreSQL and Redis of its own."""
    installation = Installation()
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()
