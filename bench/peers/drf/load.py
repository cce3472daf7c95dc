"""Makes the tables and the keys: `python -m bench.peers.drf.load KEYS_FILE`. Their texts are `<place>.<our text>`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django


def main(keys_file: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.drf.settings"
    django.setup()
    from django.core.management import call_command

    from bench.peers.drf.models import Key

    call_command("migrate", run_syncdb=True, verbosity=0)
    keys = []
    for place, row in enumerate(json.loads(keys_file.read_text())):
        prefix = f"{place:08d}"
        hashed = Key.objects.key_generator.hash(f"{prefix}.{row['text']}")
        known = {name: row[name] for name in ("key_id", "account_id", "patterns", "requests_per_day")}
        keys.append(Key(id=f"{prefix}.{hashed}", prefix=prefix, hashed_key=hashed, name=f"Key {place}", **known))
    Key.objects.bulk_create(keys)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
