"""The npm packages that tests run, as the lock file pins them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "clients"
NODE_MODULES = HERE / "node_modules"
LOCK_FILE = HERE / "package-lock.json"
# Says which lock file node_modules was made from.
STAMP = NODE_MODULES / ".lock-sha256"


@pytest.fixture(scope="session")
def npm_clients() -> Path:
    """The folder of the packages as the lock file pins them, installed where missing or out of date."""
    digest = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
    if not STAMP.exists() or STAMP.read_text() != digest:
        try:
            run = subprocess.run(["npm", "ci"], cwd=HERE, capture_output=True, text=True, timeout=300, check=False)
        except FileNotFoundError:
            pytest.fail("These tests need Node.js and npm.")
        if run.returncode:
            pytest.fail(f"npm ci failed: {run.stderr}")
        STAMP.write_text(digest)
    return NODE_MODULES
