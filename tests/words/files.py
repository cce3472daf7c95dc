"""The files that customers read from, all of which are in two languages."""

from __future__ import annotations

from pathlib import Path

from goongdash.translations import FOLDERS, NOT_FOR_CUSTOMERS, ROOT


def files_said(*suffixes: str) -> list[Path]:
    """Those with one of `suffixes`."""
    found = [path for folder in [*FOLDERS, "static/js"] for path in sorted((ROOT / folder).rglob("*"))]
    return [path for path in found if path.suffix in suffixes and not NOT_FOR_CUSTOMERS.intersection(path.parts)]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
