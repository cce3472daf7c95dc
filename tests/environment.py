"""Sets the environment of a test session before Django's settings are read (a plugin, named in pyproject.toml).

The session's PostgreSQL and Redis are real: those that DATABASE_URL and REDIS_URL name, or the project's own
in a folder of the session's.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path

os.environ["GOONGDASH_ENV"] = "development"
os.environ["BILLING_TIME_ZONE"] = "Asia/Ho_Chi_Minh"
os.environ["LOG_FORMAT"] = "text"

DATA_DIR = Path(tempfile.mkdtemp(prefix="goongdash-test-"))
os.environ["DATA_DIR"] = str(DATA_DIR)
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

# It would log every URL that a test asks for, and there are keys in them.
logging.getLogger("httpx").setLevel(logging.WARNING)
