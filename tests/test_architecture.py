"""The layout holds: imports point one way, pure modules stay pure, every module says what it is for."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from tests.processes import ROOT

# From the bottom up. `goongdash` itself (settings, urls, celery) wires everything together and may see it all.
LAYERS = ["goongdash.lib", "accounts", "keys", "stats", "billing", "gate"]

PURE = [
    "goongdash/lib/*.py",
    "goongdash/supervise.py",
    *(f"keys/{name}.py" for name in ("patterns", "origins", "ip_ranges", "restrictions", "key_text", "globs", "hosts")),
    *(
        f"keys/{name}.py"
        for name in ("entries", "examples", "explain", "coverage", "advice", "tester", "limits", "list_query")
    ),
    *(f"keys/{name}.py" for name in ("key_query", "snippets", "overlap", "expiry")),
    *(
        f"stats/{name}.py"
        for name in ("events", "outcomes", "periods", "series", "charts", "key_use", "spikes", "key_periods")
    ),
    *(f"stats/{name}.py" for name in ("queries", "retention")),
    *(f"stats/{name}.py" for name in ("request_ids", "explanations", "log_query", "list_check")),
    *(f"billing/{name}.py" for name in ("pricing", "credit", "thresholds", "forecast")),
    *(f"gate/{name}.py" for name in ("decide", "snapshot", "specs", "replies", "facts", "calendar", "request_ids")),
    *(f"gate/{name}.py" for name in ("breaker", "charges", "spool_frames", "today")),
    *(f"gate/local_{name}.py" for name in ("limits", "rates", "sessions")),
    "gate/sandbox/*.py",
]
# Sentences, and how the reader's language writes dates and numbers: the words alone, none of the framework.
SPEECH = ("django.utils.translation", "django.utils.formats", "django.utils.functional.Promise")
IMPURE_PACKAGES = {
    "django",
    "redis",
    "celery",
    "psycopg",
    "hiredis",
    "environs",
    "allauth",
    "os",
    "socket",
    "subprocess",
}
IMPURE_MODULES = {
    *(f"{app}.{name}" for app in LAYERS[1:] for name in ("models", "services", "selectors", "tasks", "views")),
    *(f"goongdash.{name}" for name in ("settings", "celery", "commands", "secrets", "health")),
    "stats.stream",
    "keys.vault",
    "accounts.changes",
}
# They ask for the time because that is what they are for.
ASK_FOR_THE_TIME = {"gate/request_ids.py", "goongdash/lib/clock.py"}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "utc_now"}

MAX_LINES = 350
MAY_BE_WITHOUT_DOCSTRING = {"apps.py", "urls.py"}


def modules() -> list[str]:
    """Every Python file that is or will be in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(path for path in set(listed.stdout.splitlines()) if (ROOT / path).exists())


MODULES = modules()
PURE_MODULES = [path for path in MODULES if any(Path(path).match(pattern) for pattern in PURE)]


def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(), path)


def imports(path: str) -> Iterator[str]:
    """The full name of everything the module imports, inside functions too; what only types need left out."""
    parsed = tree(path)
    only_types = {
        id(inner)
        for node in ast.walk(parsed)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(parsed):
        if id(node) in only_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def layer_of(name: str) -> int | None:
    return next((i for i, layer in enumerate(LAYERS) if is_in(name, layer)), None)


def asks_for_the_time(path: str) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            owner = ast.unparse(node.value)
            if owner.split(".")[-1] in {"datetime", "date", "time"}:
                yield f"{owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in {"time", "goongdash.lib.clock"}:
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name in CLOCKS)


def test_layers_and_pure_modules_are_there() -> None:
    assert {layer_of(path.removesuffix(".py").replace("/", ".")) for path in MODULES} >= set(range(len(LAYERS)))
    for pattern in PURE:
        if not pattern.startswith("stats/"):
            assert any(Path(path).match(pattern) for path in PURE_MODULES), f"no {pattern}"


@pytest.mark.parametrize("path", [path for path in MODULES if path.split("/")[0] in {*LAYERS, "goongdash"}])
def test_imports_point_one_way(path: str) -> None:
    layer = layer_of(path.removesuffix(".py").replace("/", "."))
    for name in imports(path):
        assert layer == len(LAYERS) - 1 or not is_in(name, "gate"), (
            f"{path} imports {name}, but nothing imports the gate"
        )
        above = layer_of(name)
        if layer is not None and above is not None:
            assert above <= layer, f"{path} imports {name}, which stands above it"


@pytest.mark.parametrize("path", PURE_MODULES)
def test_pure_modules_know_no_framework_store_or_settings(path: str) -> None:
    for name in imports(path):
        if any(is_in(name, module) for module in SPEECH):
            continue  # Words for a person are marked where they are written.
        assert name.split(".")[0] not in IMPURE_PACKAGES, f"{path} imports {name}"
        assert not any(is_in(name, module) for module in IMPURE_MODULES), f"{path} imports {name}"


@pytest.mark.parametrize("path", [path for path in PURE_MODULES if path not in ASK_FOR_THE_TIME])
def test_pure_modules_are_told_the_time_and_never_ask(path: str) -> None:
    assert list(asks_for_the_time(path)) == []


def test_time_is_asked_for_where_it_may_be() -> None:
    assert set(asks_for_the_time("goongdash/lib/clock.py")) == {"datetime.now"}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        path
        for path in MODULES
        if "/migrations/" not in path
        and not path.startswith("tests/")
        and Path(path).name not in MAY_BE_WITHOUT_DOCSTRING
        and (ROOT / path).read_text().strip()
        and not ast.get_docstring(tree(path))
    ]

    assert silent == []


def test_no_file_is_too_long_to_read() -> None:
    written = [path for path in MODULES if "/migrations/" not in path]
    lines = {path: len((ROOT / path).read_text().splitlines()) for path in written}

    assert {path: n for path, n in lines.items() if n > MAX_LINES} == {}


def test_no_field_holds_a_fraction_in_binary() -> None:
    own = {layer.split(".")[0] for layer in LAYERS}
    fields = [
        field for model in apps.get_models() if model._meta.app_label in own for field in model._meta.get_fields()
    ]

    assert len(fields) > 50
    assert [str(field) for field in fields if isinstance(field, models.FloatField)] == []


def test_no_money_is_computed_with_floats() -> None:
    """In the modules that money passes through: no float literal, no float(), no true division."""
    for path in [path for path in MODULES if path.startswith("billing/") and "/migrations/" not in path]:
        if path in {"billing/demo.py", "billing/management/commands/verify_usage.py", "billing/sheet_pdf.py"}:
            continue  # Chances, seconds and lengths, not money.
        for node in ast.walk(tree(path)):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"{path}:{node.lineno}"
            assert not (isinstance(node, ast.Name) and node.id == "float"), f"{path}:{node.lineno}"
            assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)), f"{path}:{node.lineno}"
