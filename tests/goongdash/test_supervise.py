"""The Procfile, and what supervisord is told of it."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest

from goongdash.embedded import paths
from goongdash.supervise import ProcfileError, Supervision, configuration, expand, read_procfile

COMMANDS = {
    "postgres": "python -m pg",
    "redis": "python -m redis",
    "web": "granian --log 100%",
    "gate": "python -m gate",
}


def make_supervision(**overrides: object) -> Supervision:
    values: dict[str, object] = {
        "root": Path("/srv/app"),
        "pid_file": Path("/srv/data/supervisord.pid"),
        "log_file": Path("/srv/data/supervisord.log"),
        "socket": Path("/srv/100%/supervisor.sock"),
        "password": "secret",
        "output_paths": {name: f"/dev/fd/{number}" for number, name in enumerate(COMMANDS, start=7)},
        "n_processes": {"gate": 2},
    }
    return Supervision(**{**values, **overrides})  # type: ignore[arg-type]


def read(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser


def test_procfile_keeps_its_order_and_passes_over_comments() -> None:
    text = "# all of it\n\nweb:  granian --port $PORT \n  # not this\nkey-gate: python -m gate: x\n"
    assert list(read_procfile(text).items()) == [
        ("web", "granian --port $PORT"),
        ("key-gate", "python -m gate: x"),
    ]


@pytest.mark.parametrize("line", ["web granian", "web:", "1web: granian", "gate: again"])
def test_bad_procfile_line_is_named(line: str) -> None:
    with pytest.raises(ProcfileError, match="line 2"):
        read_procfile(f"gate: python -m gate\n{line}\n")


def test_the_projects_procfile_names_every_part() -> None:
    commands = read_procfile((paths.BASE_DIR / "Procfile").read_text())
    assert list(commands) == ["postgres", "redis", "web", "gate", "ingest", "worker", "beat"]


def test_value_with_blanks_stays_one_word() -> None:
    expanded = expand("celery --schedule $DATA_DIR/beat.db 'a b' ${X}y", {"DATA_DIR": "/my data", "X": "$(id)"})
    assert shlex.split(expanded) == ["celery", "--schedule", "/my data/beat.db", "a b", "$(id)y"]


@pytest.mark.parametrize("command", ["run $MISSING", "run $", "run 'unclosed"])
def test_command_that_cannot_be_expanded_is_refused(command: str) -> None:
    with pytest.raises(ProcfileError, match="cannot be expanded"):
        expand(command, {})


def test_servers_start_first_by_themselves_and_stop_last() -> None:
    parser = read(configuration(COMMANDS, make_supervision()))

    assert parser["group:servers"]["programs"] == "postgres,redis"
    assert parser["group:programs"]["programs"] == "web,gate"
    assert int(parser["group:servers"]["priority"]) < int(parser["group:programs"]["priority"])
    assert {name: parser[f"program:{name}"]["autostart"] for name in COMMANDS} == {
        "postgres": "true",
        "redis": "true",
        "web": "false",
        "gate": "false",
    }
    assert parser["program:postgres"]["stopsignal"] == "INT"
    assert parser["program:gate"]["stopsignal"] == "TERM"


def test_every_program_is_restarted_and_killed_with_its_children() -> None:
    parser = read(configuration(COMMANDS, make_supervision()))

    for number, name in enumerate(COMMANDS, start=7):
        section = parser[f"program:{name}"]
        assert section["autorestart"] == "true"
        assert section["killasgroup"] == "true"
        assert section["stdout_logfile"] == f"/dev/fd/{number}"
        assert section["numprocs"] == ("2" if name == "gate" else "1")


def test_percent_signs_survive_supervisords_expansion() -> None:
    parser = read(configuration(COMMANDS, make_supervision()))

    assert parser["program:web"]["command"] % {} == "granian --log 100%"
    assert parser["unix_http_server"]["file"] % {} == "/srv/100%/supervisor.sock"
    assert parser["unix_http_server"]["chmod"] == "0700"


def test_without_embedded_servers_there_is_no_group_of_them() -> None:
    text = configuration({"web": "granian"}, make_supervision(user="root"))

    assert "group:servers" not in text
    assert read(text)["supervisord"]["user"] == "root"
    assert "user" not in read(configuration({"web": "granian"}, make_supervision()))["supervisord"]


def test_value_that_supervisord_would_misread_is_refused() -> None:
    with pytest.raises(ProcfileError, match="cannot be told"):
        configuration({"web": "sh -c 'a ; b'"}, make_supervision())
