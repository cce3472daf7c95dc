"""Where the embedded servers keep their data and sockets, and the URLs that reach them.

Settings import this module: standard library only, nothing is created here.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote

BASE_DIR = Path(__file__).resolve().parents[2]
DATABASE_NAME = "goongdash"

# sockaddr_un holds 107 bytes on Linux and 103 on macOS. supervisord binds under a name with its pid first.
SOCKET_PATH_LIMIT = 103
_LONGEST_NAME = "own/supervisor.sock.4194304"


def data_dir() -> Path:
    """The folder of all this installation writes: `DATA_DIR`, or `.data` beside manage.py; absolute."""
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data").expanduser().resolve()


def needed_servers() -> tuple[str, ...]:
    """The servers the environment does not name, of `postgres` and `redis`: those the project runs itself."""
    named_by = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
    return tuple(name for name, variable in named_by.items() if not os.environ.get(variable))


def socket_dir(data_dir: Path) -> Path:
    """`<data_dir>/run`, or where that makes too long a socket path, a folder of this user in /tmp.

    Not `tempfile.gettempdir()`: `TMPDIR` may differ between two shells, and both must find the sockets.
    """
    folder = data_dir / "run"
    if len(os.fsencode(folder / _LONGEST_NAME)) <= SOCKET_PATH_LIMIT:
        return folder
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(f"/tmp/goongdash-{os.getuid()}-{digest}")  # noqa: S108 — folders.py refuses one that is not ours.


def postgres_socket_dir(data_dir: Path) -> Path:
    """The folder of PostgreSQL's socket; it belongs to the user PostgreSQL runs as, and only they enter."""
    return socket_dir(data_dir) / "pg"


def own_socket_dir(data_dir: Path) -> Path:
    """The folder of all other sockets, which only the user who runs the project may enter."""
    return socket_dir(data_dir) / "own"


def redis_socket(data_dir: Path) -> Path:
    return own_socket_dir(data_dir) / "redis.sock"


def supervisor_socket(data_dir: Path) -> Path:
    return own_socket_dir(data_dir) / "supervisor.sock"


def database_url(data_dir: Path) -> str:
    """`postgresql://postgres@<folder of the socket, percent-encoded>/goongdash`.

    libpq, psycopg 3 and dj_database_url all read a percent-encoded folder as the host. Not in a `?host=`: of
    that dj_database_url makes an option, which Django's `dbshell` does not look at.
    """
    return f"postgresql://postgres@{quote(str(postgres_socket_dir(data_dir)), safe='')}/{DATABASE_NAME}"


def redis_url(data_dir: Path) -> str:
    """`unix://<socket>?db=0`, as `redis.Redis.from_url` reads it."""
    return f"unix://{quote(str(redis_socket(data_dir)))}?db=0"
