"""Where the embedded servers lie, and that the URLs say it so that every library understands."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url
import psycopg.conninfo
import pytest
import redis

from goongdash.embedded import folders, paths
from goongdash.embedded.errors import UnsafeFolderError

ODD = Path("/srv/My data, 100% + more")
LONG = Path("/srv") / ("long" * 30)


def test_data_dir_is_absolute_and_beside_manage_py_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)
    assert paths.data_dir() == paths.BASE_DIR / ".data"
    assert (paths.BASE_DIR / "manage.py").exists()

    monkeypatch.setenv("DATA_DIR", "elsewhere")
    assert paths.data_dir() == Path.cwd() / "elsewhere"


def test_only_servers_without_a_url_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://localhost")
    assert paths.needed_servers() == ("postgres",)

    monkeypatch.setenv("REDIS_URL", "")
    assert paths.needed_servers() == ("postgres", "redis")


def test_database_url_is_read_alike_by_libpq_and_by_django() -> None:
    url = paths.database_url(ODD)
    folder = str(ODD / "run" / "pg")

    assert psycopg.conninfo.conninfo_to_dict(url) == {
        "user": "postgres",
        "dbname": "goongdash",
        "host": folder,
    }
    settings = dj_database_url.parse(url)
    assert (settings["HOST"], settings["NAME"], settings["USER"]) == (folder, "goongdash", "postgres")


def test_redis_url_is_read_by_redis_py() -> None:
    pool = redis.ConnectionPool.from_url(paths.redis_url(ODD))
    read = {name: pool.connection_kwargs[name] for name in ("path", "db")}
    assert read == {"path": str(ODD / "run" / "own" / "redis.sock"), "db": 0}


def test_sockets_of_a_long_data_dir_lie_in_a_short_folder_of_its_own() -> None:
    assert paths.socket_dir(ODD) == ODD / "run"

    short = paths.socket_dir(LONG)
    assert short.parent == Path("/tmp")
    assert str(os.getuid()) in short.name
    assert short != paths.socket_dir(LONG / "other")
    for folder in (ODD, LONG):
        sockets = [paths.postgres_socket_dir(folder) / ".s.PGSQL.5432", paths.redis_socket(folder)]
        assert max(len(str(path)) for path in sockets) <= paths.SOCKET_PATH_LIMIT


@pytest.mark.parametrize("bait", ["link", "file"])
def test_socket_folder_that_somebody_else_put_there_is_refused(tmp_path: Path, bait: str) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    if bait == "link":
        (data_dir / "run").symlink_to(tmp_path)
    else:
        (data_dir / "run").touch()

    with pytest.raises(UnsafeFolderError, match="somebody else"):
        folders.prepare(data_dir)


def test_folders_are_closed_to_others(tmp_path: Path) -> None:
    folders.prepare(tmp_path / "data")

    for path in (tmp_path / "data" / "log", paths.own_socket_dir(tmp_path / "data")):
        assert path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data").stat().st_mode & 0o066 == 0
