"""`make bench`: runs all measurements, or those named, prints them and writes them to bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=["gate", "freshness", []], help="default: all")
    names = parser.parse_args().names or ["gate", "freshness"]
    measures: dict[str, Callable[[], dict[str, float]]] = {"gate": _gate, "freshness": _freshness}
    found = {name: measures[name]() for name in names}
    text = _report(found)
    print(text)
    if set(names) == set(measures):
        RESULTS.write_text(text)


def _gate() -> dict[str, float]:
    """In a data folder of its own, which goes with the run."""
    with tempfile.TemporaryDirectory(prefix="goongdash-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "goongdash.settings"
        import django
        from django.core.management import call_command

        from goongdash.embedded.servers import using_servers

        with using_servers(Path(folder)):
            django.setup()
            call_command("migrate", verbosity=0)
            from bench.gate import measure

            return measure()


def _freshness() -> dict[str, float]:
    from bench.freshness import measure

    return measure()


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
