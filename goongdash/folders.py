"""Reads a folder from a setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from environs import EnvError


def folder(value: str | Path, **_: Any) -> Path:
    """The folder, absolute; it need not be there yet. Raises EnvError for what is there and is no folder."""
    path = Path(value).expanduser()
    if not path.is_absolute():
        raise EnvError(f"{str(value)!r} does not begin with a slash.")
    if path.exists() and not path.is_dir():
        raise EnvError(f"{str(value)!r} is no folder.")
    return path
