"""Which rooms of the site are not translated yet. This list only becomes shorter, and must be empty in the end."""

from __future__ import annotations

from pathlib import Path

from goongdash.translations import FOLDERS, NOT_FOR_CUSTOMERS, ROOT

FILES_NOT_YET: tuple[str, ...] = ()
PAGES_NOT_YET: tuple[str, ...] = ()


def is_done(name: str) -> bool:
    return not name.startswith(FILES_NOT_YET)


def files_done(*suffixes: str) -> list[Path]:
    """Those that customers read from, of the rooms that are done."""
    found = [path for folder in [*FOLDERS, "static/js"] for path in sorted((ROOT / folder).rglob("*"))]
    return [
        path
        for path in found
        if path.suffix in suffixes
        and is_done(path.relative_to(ROOT).as_posix())
        and not NOT_FOR_CUSTOMERS.intersection(path.parts)
    ]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
