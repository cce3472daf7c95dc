"""`make bench`: runs all measurements, or those named, prints them and writes them to bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

NAMES = ("gate", "freshness", "keys")
IN_THIS_PROCESS = {"gate", "keys"}
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="default: all")
    names = parser.parse_args().names or list(NAMES)
    with ExitStack() as stack:
        found = {name: _measure(name, stack) for name in names}
    text = _report(found)
    print(text)
    if set(names) == set(NAMES):
        RESULTS.write_text(text)


def _measure(name: str, stack: ExitStack) -> dict[str, float]:
    if name in IN_THIS_PROCESS and "DJANGO_SETTINGS_MODULE" not in os.environ:
        stack.enter_context(_own_servers())
    found: dict[str, float] = import_module(f"bench.{name}").measure()
    return found


@contextmanager
def _own_servers() -> Iterator[None]:
    """Django on servers in a data folder of its own, which goes with the run."""
    with tempfile.TemporaryDirectory(prefix="goongdash-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "goongdash.settings"
        import django
        from django.core.management import call_command

        from goongdash.embedded.servers import using_servers

        with using_servers(Path(folder)):
            django.setup()
            call_command("migrate", verbosity=0)
            yield


def _report(found: dict[str, dict[str, float]]) -> str:
    lines = [
        "# Results",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with `make bench`: Python {platform.python_version()}, "
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores shared with others. Medians of "
        "alternating rounds; absolute figures move by a quarter from run to run, ratios less.",
        "",
    ]
    for name, figures in found.items():
        lines += [f"## {name}", "", "| figure | value |", "|---|---|"]
        lines += [
            f"| {figure} | {value:,.0f} |" if value > 100 else f"| {figure} | {value:.2f} |"
            for figure, value in figures.items()
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
