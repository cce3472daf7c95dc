"""Made-up secrets for development, kept in DATA_DIR so that keys survive a restart. Never for production."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

_NAMES = ("SECRET_KEY", "KEY_LOOKUP_SECRET", "KEY_ENCRYPTION_SECRET")


def development_secrets(data_dir: Path) -> dict[str, str]:
    """The secrets kept under `data_dir`, made on the first call; safe when two processes call at once."""
    path = data_dir / "secrets.json"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        # In a container every start has the same process number; one killed here must not stop the next.
        made = path.with_name(f"secrets.{secrets.token_hex(8)}.tmp")
        fd = os.open(made, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w") as file:
            json.dump({name: secrets.token_urlsafe(48) for name in _NAMES}, file)
        try:
            # A link, not a rename: whoever comes second must not replace the first one's secrets.
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    kept: dict[str, str] = json.loads(path.read_text())
    return kept
