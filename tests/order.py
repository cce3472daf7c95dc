"""In which order two workers take the files of tests, so that neither has a long one left when the other is done."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Mapping

# About how many seconds a test takes that asks for this.
SECONDS: Mapping[str, float] = {
    "site": 15,
    "chromium": 4,
    "map_browser": 4,
    "own_redis": 3,
    "gate": 0.2,
    "db": 0.05,
}
ANY_OTHER_S = 0.01
# Its tests share a whole installation, which only one worker is to start.
TOGETHER = "tests/site/"


class FileScheduling(LoadFileScheduling):  # type: ignore[misc]
    """A worker takes whole files, as they come; those that go together are one."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(TOGETHER) else str(super()._split_scope(nodeid))


def longest_first(items: list[pytest.Item]) -> None:
    """Sorts by what each file takes altogether; files that take the same, and the tests of one, stay as they are."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for item in items:
        seconds[_file(item)] += max((SECONDS.get(name, 0) for name in _fixtures(item)), default=0) or ANY_OTHER_S
    items.sort(key=lambda item: -seconds[_file(item)])


def _file(item: pytest.Item) -> str:
    return TOGETHER if item.nodeid.startswith(TOGETHER) else item.nodeid.partition("::")[0]


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", []))
