from __future__ import annotations

import csv
import io
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from keys.services import CreatedKey, key_revoke
from stats import exports
from stats.exports import COLUMNS
from stats.management.commands.export_usage import Command
from stats.outcomes import Outcome
from tests.factories import T0, make_event, make_key
from tests.stats.usage import push_events

ALICE = "alice@example.com"


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice, name="Web shop")


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes of T0 are still kept."""
    for module in ("rollups", "management.commands.export_usage"):
        monkeypatch.setattr(f"stats.{module}.utc_now", lambda: T0 + timedelta(hours=2))


@pytest.fixture
def used(alice: Account, charlie: Account, key: CreatedKey) -> CreatedKey:
    """Two allowed requests and a refused one, one of the day before, and a stranger's."""
    push_events(
        [
            make_event(key, at=T0 - timedelta(days=1)),
            make_event(key),
            make_event(key, at=T0 + timedelta(hours=1)),
            make_event(key, "trip", outcome=Outcome.RATE_LIMIT),
            make_event(make_key(charlie)),
        ]
    )
    return key


def export(*arguments: str, account: str = ALICE, first: str = "2026-11-23", last: str = "2026-11-23") -> str:
    out = io.StringIO()
    call_command("export_usage", f"--account={account}", f"--from={first}", f"--to={last}", *arguments, stdout=out)
    return out.getvalue()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_days_as_csv(used: CreatedKey) -> None:
    key_id = used.key.pk
    assert export() == (
        "period_start,key_id,key_name,service,outcome,requests,units,cost_micro_usd\n"
        f"2026-11-23,{key_id},Web shop,geocode,allowed,2,2,10000\n"
        f"2026-11-23,{key_id},Web shop,trip,rate_limit,1,0,0\n"
    )


@pytest.mark.parametrize(
    ("grain", "starts"),
    [
        ("minute", ["2026-11-23T10:00:00+07:00", "2026-11-23T11:00:00+07:00"]),
        ("hour", ["2026-11-23T10:00:00+07:00", "2026-11-23T11:00:00+07:00"]),
        ("day", ["2026-11-22", "2026-11-23"]),
        ("month", ["2026-11-01"]),
    ],
)
def test_cuts_as_on_the_page(noon: None, used: CreatedKey, grain: str, starts: list[str], tmp_path: Path) -> None:
    first = "2026-11-23" if grain in {"minute", "hour"} else "2026-11-01"
    cut = ("--by", "service", "--grain", grain, "--only", "outcome=allowed", "--only", f"key={used.key.pk}")
    rows = rows_of(export(*cut, first=first))
    assert [row["start"] for row in rows] == starts
    assert sum(int(row["requests"]) for row in rows) == (2 if first == "2026-11-23" else 3)
    told = json.loads(export("--json", *cut, first=first))
    assert (told["grain"], told["by"], len(told["rows"])) == (grain, "service", len(rows))
    for arguments in (("--json",), ()):
        path = tmp_path / "cut"
        assert f"{len(rows)}" in export(*arguments, *cut, "--output", str(path), first=first)


def test_hours_carry_the_offset_of_the_zone(used: CreatedKey) -> None:
    assert [(row["period_start"], row["service"]) for row in rows_of(export("--grain", "hour"))] == [
        ("2026-11-23T10:00:00+07:00", "geocode"),
        ("2026-11-23T10:00:00+07:00", "trip"),
        ("2026-11-23T11:00:00+07:00", "geocode"),
    ]


@pytest.mark.parametrize("arguments", [("--json",), ("--format", "json"), ("--json", "--format", "json")])
def test_json_is_one_object(used: CreatedKey, arguments: tuple[str, ...]) -> None:
    document = json.loads(export(*arguments, first="2026-11-22"))
    rows = document.pop("rows")
    assert document == {
        "account": ALICE,
        "from": "2026-11-22",
        "to": "2026-11-23",
        "grain": "day",
        "time_zone": "Asia/Ho_Chi_Minh",
    }
    assert [row["requests"] for row in rows] == [1, 2, 1]
    assert list(rows[0]) == COLUMNS


def test_both_formats_and_grains_sum_to_the_same(used: CreatedKey) -> None:
    texts = [export("--grain", grain, first="2026-11-01") for grain in ("hour", "day")]
    documents = [json.loads(export("--json", "--grain", grain, first="2026-11-01")) for grain in ("hour", "day")]
    tables: list[list[dict[str, Any]]] = [*map(rows_of, texts), *(document["rows"] for document in documents)]
    assert {sum(int(row["requests"]) for row in rows) for rows in tables} == {4}
    assert {sum(int(row["cost_micro_usd"]) for row in rows) for rows in tables} == {15_000}


def test_no_usage_is_a_head_without_rows(alice: Account) -> None:
    assert export() == ",".join(COLUMNS) + "\n"
    assert json.loads(export("--json"))["rows"] == []


def test_deleted_keys_and_paths_that_are_no_service_are_in_it(used: CreatedKey) -> None:
    push_events([make_event(used, service_id=0, outcome=Outcome.SERVICE_UNKNOWN)])
    key_revoke(key=used.key)
    last = rows_of(export())[-1]
    assert (last["key_name"], last["service"], last["outcome"]) == ("Web shop", "", "service_unknown")


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@SUM(A1)"])
def test_a_key_s_name_is_no_formula(alice: Account, name: str) -> None:
    push_events([make_event(make_key(alice, name=name))])
    assert rows_of(export())[0]["key_name"] == f"'{name}"
    assert json.loads(export("--json"))["rows"][0]["key_name"] == name


def test_file_is_written_and_reported(used: CreatedKey, tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    assert export("--output", str(path)) == f"2 rows in {path}.\n"
    assert path.read_text() == export()
    facts = json.loads(export("--json", "--output", str(path)))
    assert (facts["rows"], facts["file"]) == (2, str(path))
    assert len(json.loads(path.read_text())["rows"]) == 2


def test_file_stays_as_it_was_when_writing_fails(
    used: CreatedKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "usage.csv"
    path.write_text("before")

    def fail(value: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "safe_cell", fail)
    with pytest.raises(CommandError, match="can't be written: No space left on device") as caught:
        export("--output", str(path))
    assert caught.value.returncode == 1
    assert [(child.name, child.read_text()) for child in tmp_path.iterdir()] == [("usage.csv", "before")]


@pytest.mark.parametrize("name", ["missing/usage.csv", "."])
def test_a_path_that_cannot_be_written_is_named(used: CreatedKey, tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match="can't be written"):
        export("--output", str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((), {"account": "nobody@example.com"}, "There is no account of nobody@example.com"),
        ((), {"first": "2026-11-24"}, "2026-11-24 is after 2026-11-23"),
        (("--json", "--format", "csv"), {}, "exclude each other"),
        (("--grain", "month"), {}, "need --by"),
        (("--only", "service=trip"), {}, "need --by"),
        (("--by", "key", "--only", "service"), {}, "is no filter"),
        (("--by", "key", "--only", "service=tea"), {}, "there is no “tea”"),
        (("--by", "key", "--only", "key=987654"), {}, "no such key"),
        (("--by", "origin", "--grain", "hour"), {}, "known by the day"),
        (("--by", "key", "--grain", "minute"), {"first": "2026-01-01"}, "by minute are kept from"),
    ],
)
def test_bad_arguments_exit_with_2(
    alice: Account, arguments: tuple[str, ...], options: dict[str, str], message: str
) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        export(*arguments, **options)
    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    "argument",
    ["--from=2026-11-2x", "--from=0001-01-01", "--to=9999-12-31", "--grain=year", "--by=colour", "--format=xml"],
)
def test_arguments_that_cannot_be_read_exit_with_2(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--account", ALICE, "--from", "2026-11-23", "--to", "2026-11-23", argument]
    with pytest.raises(SystemExit) as caught:
        Command().run_from_argv(["manage.py", "export_usage", *arguments])
    assert caught.value.code == 2
    assert "error: argument" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error(used: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    replaced: list[int] = []
    monkeypatch.setattr("stats.management.commands.export_usage.os.dup2", lambda _, fd: replaced.append(fd))
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1, raising=False)
    call_command("export_usage", f"--account={ALICE}", "--from=2026-11-23", "--to=2026-11-23", stdout=Closed())
    assert replaced == [1]
