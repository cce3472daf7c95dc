"""bench/RESULTS.md: one section for each command, each rewritten by its own command only. And tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

PATH = Path(__file__).with_name("RESULTS.md")
ORDER = (
    *("gate", "exact", "freshness", "chart", "revocation", "unknown_keys"),
    *("key_page", "replay", "request_log", "stats", "closing", "quarter"),
    *("alerts", "last_dollar", "billing_page"),
)


def write_section(name: str, text: str) -> None:
    """Replaces the section `## <name>` and leaves the others as they are."""
    sections = _sections(PATH.read_text())
    sections[name] = text.strip()
    ordered = [f"## {name}\n\n{sections[name]}\n" for name in ORDER if name in sections]
    PATH.write_text("# Results\n\n" + "\n".join(ordered))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """To three digits or more: 0.47, 12.3, 66,400."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (\w+)$", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
