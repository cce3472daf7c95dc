"""Says of a test's store that its counters are all there, as a gate does when it has rebuilt them."""

from __future__ import annotations

from django.conf import settings

from stats.stream import open_key, redis_client


def shards_open() -> None:
    redis_client().mset({open_key(shard): 1 for shard in range(settings.USAGE_SHARDS)})
