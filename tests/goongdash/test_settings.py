"""The environment is read strictly: the wrong is refused by the variable's name, in production the missing too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT

# Reads settings once for each environment given, in a process that has seen no others.
_READER = """
import json, os, runpy, sys
kept = dict(os.environ)
for environment in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(kept, **environment)
    try:
        read = {k: v for k, v in runpy.run_module("goongdash.settings").items() if k.isupper()}
        print(json.dumps({"settings": read}, default=str))
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
"""

SECRET = "s" * 32
PRODUCTION = {
    "GOONGDASH_ENV": "production",
    "SECRET_KEY": SECRET,
    "KEY_LOOKUP_SECRET": SECRET,
    "KEY_ENCRYPTION_SECRET": SECRET,
    "ALLOWED_HOSTS": "maps.example.com",
}
BAD = [
    ("GOONGDASH_ENV", "prod"),
    ("DEBUG", "maybe"),
    ("LOG_LEVEL", "loud"),
    ("LOG_FORMAT", "xml"),
    ("PORT", "0"),
    ("PORT", "eighty"),
    ("GATE_PORT", "65536"),
    ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.local"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ("KEY_CACHE_TTL_S", "0"),
    ("STORE_TIMEOUT_MS", "-5"),
    ("GATE_PROCESSES", "0"),
    ("GATE_WHEN_STORE_FAILS", "ajar"),
    ("GATE_SPOOL_DIR", "var/spool"),
    ("GATE_SPOOL_DIR", "/dev/null"),
    ("GATE_SPOOL_MAX_BYTES", "10"),
    ("GATE_SPOOL_MAX_BYTES", "1GB"),
    ("USAGE_SHARDS", "0"),
    ("USAGE_SHARDS", "1.5"),
    ("RAW_RETENTION_DAYS", "0"),
    ("BILLING_TIME_ZONE", "Mars/Olympus_Mons"),
    ("BILLING_TIME_ZONE", "+07:00"),
    ("REDIS_PREFIX", "with space"),
    ("REDIS_PREFIX", "{tag}"),
    ("WEB_PROXY_COUNT", "-1"),
    ("EMAIL_PORT", "smtp"),
    ("DATABASE_URL", "sqlite:///db.sqlite3"),
    ("DATABASE_URL", "mysql://root@localhost/goongdash"),
    ("DATABASE_URL", "localhost:5432"),
    ("DATABASE_URL", "postgresql://u:hunter2@localhost:port/goongdash"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "http://localhost:6379"),
    ("SECRET_KEY", "short"),
    ("KEY_LOOKUP_SECRET", "short"),
    ("KEY_ENCRYPTION_SECRET", "short"),
    ("KEY_ENCRYPTION_SECRET", f"short,{SECRET}"),
]

ReadAll = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def read_all(tmp_path: Path) -> ReadAll:
    """What settings make of each environment; nothing of this session's own is in them."""

    def read(*environments: dict[str, str]) -> list[dict[str, Any]]:
        bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path / "data")}
        done = subprocess.run(
            [sys.executable, "-c", _READER],
            input=json.dumps(environments),
            env=bare,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return read


def test_bad_values_are_refused_with_the_variables_name_and_no_password(read_all: ReadAll) -> None:
    answers = read_all(*({name: value} for name, value in BAD))

    for (name, value), answer in zip(BAD, answers, strict=True):
        assert "error" in answer, f"{name}={value} was accepted"
        error = answer["error"]
        assert error.startswith("ImproperlyConfigured: "), error
        assert name in error
        assert len(error) < 300
        assert "hunter2" not in error


def test_development_needs_no_variable_and_runs_its_own_servers(read_all: ReadAll, tmp_path: Path) -> None:
    first, second = (answer["settings"] for answer in read_all({}, {}))

    assert first["DEBUG"] is False
    assert first["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert first["DATABASES"]["default"]["HOST"].startswith(str(tmp_path / "data"))
    assert str(tmp_path / "data") in first["REDIS_URL"]
    for name in ("SECRET_KEY", "KEY_LOOKUP_SECRET", "KEY_ENCRYPTION_SECRETS"):
        assert len(first[name][0] if name.endswith("S") else first[name]) >= 32
        assert first[name] == second[name]


def test_gate_is_closed_when_the_store_fails_and_spools_beside_the_data_unless_told_otherwise(
    read_all: ReadAll, tmp_path: Path
) -> None:
    given = {
        "GATE_WHEN_STORE_FAILS": "open",
        "GATE_SPOOL_DIR": str(tmp_path / "elsewhere"),
        "GATE_SPOOL_MAX_BYTES": "1000000",
    }
    default, other = (answer["settings"] for answer in read_all({}, given))

    assert default["GATE_WHEN_STORE_FAILS"] == "closed"
    assert default["GATE_SPOOL_DIR"] == str(tmp_path / "data" / "spool")
    assert {name: str(other[name]) for name in given} == given


def test_production_starts_only_with_each_of_its_secrets(read_all: ReadAll, tmp_path: Path) -> None:
    names = ["SECRET_KEY", "KEY_LOOKUP_SECRET", "KEY_ENCRYPTION_SECRET", "ALLOWED_HOSTS"]
    without = [{name: value for name, value in PRODUCTION.items() if name != left_out} for left_out in names]

    complete, bare, *refused = read_all(PRODUCTION, {"GOONGDASH_ENV": "production"}, *without)

    assert complete["settings"]["IS_PRODUCTION"] is True
    assert all(name in bare["error"] for name in names)
    for name, answer in zip(names, refused, strict=True):
        assert answer["error"].startswith(f"ImproperlyConfigured: Set {name}: ")
    assert not (tmp_path / "data" / "secrets.json").exists()


def test_production_refuses_debug(read_all: ReadAll) -> None:
    refused, allowed = read_all({**PRODUCTION, "DEBUG": "true"}, {**PRODUCTION, "DEBUG": "false"})
    assert "DEBUG" in refused["error"]
    assert allowed["settings"]["DEBUG"] is False


def test_production_sends_cookies_over_tls_only_unless_told_otherwise(read_all: ReadAll) -> None:
    strict, plain = (answer["settings"] for answer in read_all(PRODUCTION, {**PRODUCTION, "SECURE_COOKIES": "false"}))

    assert strict["SESSION_COOKIE_SECURE"] is strict["CSRF_COOKIE_SECURE"] is True
    assert strict["SECURE_HSTS_SECONDS"] > 0
    assert plain["SESSION_COOKIE_SECURE"] is False
    assert plain["SECURE_HSTS_SECONDS"] == 0


def test_production_passes_the_deployment_checks(tmp_path: Path) -> None:
    secret = "".join(chr(code) for code in range(ord("0"), ord("z")))
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(tmp_path / "data"),
            "DJANGO_SETTINGS_MODULE": "goongdash.settings",
            **PRODUCTION,
            "SECRET_KEY": secret,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_named_servers_are_used(read_all: ReadAll) -> None:
    (answer,) = read_all(
        {
            "DATABASE_URL": "postgresql://maps:p%40ss@db.internal:6432/usage?sslmode=require",
            "REDIS_URL": "rediss://:secret@redis.internal:6380/3",
        }
    )

    read = answer["settings"]
    database = read["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert [database[name] for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD")] == [
        "db.internal",
        6432,
        "usage",
        "maps",
        "p@ss",
    ]
    assert database["OPTIONS"] == {"sslmode": "require"}
    for name in ("REDIS_URL", "CELERY_BROKER_URL"):
        assert read[name] == "rediss://:secret@redis.internal:6380/3"
    assert read["CACHES"]["default"]["LOCATION"] == "rediss://:secret@redis.internal:6380/3"


def test_every_part_puts_the_prefix_before_its_redis_keys(read_all: ReadAll) -> None:
    (answer,) = read_all({"REDIS_PREFIX": "maps"})

    read = answer["settings"]
    prefixes = [read["CACHES"]["default"]["KEY_PREFIX"], read["CELERY_BROKER_TRANSPORT_OPTIONS"]["global_keyprefix"]]
    assert all(prefix.startswith("maps:") for prefix in prefixes)


def test_one_zone_cuts_everything(read_all: ReadAll) -> None:
    (answer,) = read_all({"BILLING_TIME_ZONE": "Asia/Kolkata"})

    read = answer["settings"]
    assert {read[name] for name in ("BILLING_TIME_ZONE", "TIME_ZONE", "CELERY_TIMEZONE", "BILLING_ZONE")} == {
        "Asia/Kolkata"
    }


def test_lists_are_read_with_spaces_and_empty_parts(read_all: ReadAll) -> None:
    (answer,) = read_all(
        {
            "TRUSTED_PROXIES": " 10.0.0.0/8, ::1,,192.0.2.7 ",
            "KEY_ENCRYPTION_SECRET": f"{'n' * 32},{'o' * 32}",
        }
    )

    assert answer["settings"]["TRUSTED_PROXIES"] == ["10.0.0.0/8", "::1/128", "192.0.2.7/32"]
    assert answer["settings"]["KEY_ENCRYPTION_SECRETS"] == ["n" * 32, "o" * 32]
