"""Proves that the statistics are the bill."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from billing.verification import Verification, usage_verify
from goongdash.commands import CommandParser, ReportingCommand
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd


class Command(ReportingCommand):
    help = (
        "Compare usage events, records, hours, days and ledger. Exit code 1, with the differences, where they differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", type=float, default=10.0, metavar="SECONDS", help="How long to wait for usage under way."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["wait"]
        found = usage_verify(utc_now())
        while (found.n_pending_events or found.n_pending_records) and time.monotonic() < deadline:
            time.sleep(0.3)
            found = usage_verify(utc_now())
        facts = {"ok": found.holds, "difference": _size(found), **asdict(found)}
        self.report(facts, _text(found))
        if not found.holds:
            raise SystemExit(1)


def _size(found: Verification) -> int:
    """How many requests and micro-dollars disagree, all in all; 0 where everything agrees."""
    return sum(abs(d.n_requests) + abs(d.units) + abs(d.cost_micro_usd) for d in found.differences)


def _text(found: Verification) -> str:
    lines = [
        f"events   {found.n_events:>12,}   not stored yet {found.n_pending_events:,}",
        f"records  {found.n_records:>12,}   not in the sums yet {found.n_pending_records:,}",
        f"hours    {found.n_hours:>12,}",
        f"days     {found.n_days:>12,}   {format_usd(found.cost_days_micro_usd)}",
        f"ledger   {'':>12}   {format_usd(found.cost_ledger_micro_usd)}"
        f" (not charged yet {format_usd(found.pending_charge_micro_usd)})",
    ]
    for d in found.differences[:20]:
        where = "" if d.account_id is None else f" of account {d.account_id} on {d.day_on}"
        amounts = f"{d.n_requests:+,} requests, {d.units:+,} units, {format_usd(d.cost_micro_usd)}"
        lines.append(f"DIFFERENCE {d.sides}{where}: {amounts}")
    lines.append("difference 0" if found.holds else f"{len(found.differences)} differences")
    return "\n".join(lines)
