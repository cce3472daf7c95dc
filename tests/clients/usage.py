"""What the gate recorded of a client's requests."""

from __future__ import annotations

from stats.ingest import ingest_all
from stats.models import UsageRecord


def recorded() -> dict[str, tuple[int, int]]:
    """Requests and units by service."""
    ingest_all()
    found: dict[str, tuple[int, int]] = {}
    for slug, units in UsageRecord.objects.values_list("service__slug", "units"):
        n_requests, n_units = found.get(slug, (0, 0))
        found[slug] = (n_requests + 1, n_units + units)
    return found
