"""Proves that the statistics are the bill."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from accounts.commands import AccountCommand
from billing.checks import check_keep
from billing.verification import Verification, usage_verify
from goongdash.commands import CommandParser
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd


class Command(AccountCommand):
    help = (
        "Compare usage events, records, hours, days, ledger and statements. Exit code 1, with the differences, where"
        " they differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", type=float, default=10.0, metavar="SECONDS", help="How long to wait for usage under way."
        )

        parser.add_argument("--account", metavar="EMAIL", help="Only the account of this user; the result is not kept.")
        parser.add_argument("--dry-run", action="store_true", help="Do not keep the result for the pages to show.")

    def handle(self, *args: Any, **options: Any) -> None:
        deadline, account = time.monotonic() + options["wait"], self.account(options["account"])
        found = usage_verify(utc_now(), account=account)
        while (found.n_pending_events or found.n_pending_records) and time.monotonic() < deadline:
            time.sleep(0.3)
            found = usage_verify(utc_now(), account=account)
        if account is None and not options["dry_run"]:
            check_keep(found, now=utc_now())
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
        f"minutes  {found.n_minutes:>12,}",
        f"hours    {found.n_hours:>12,}",
        f"origins  {found.n_origins:>12,}",
        f"days     {found.n_days:>12,}   {format_usd(found.cost_days_micro_usd)}",
        f"ledger   {'':>12}   {format_usd(found.cost_ledger_micro_usd)}"
        f" (not charged yet {format_usd(found.pending_charge_micro_usd)})",
        f"closed   {'':>12}   {format_usd(found.cost_statements_micro_usd)}",
    ]
    lines += [f"DIFFERENCE {difference}" for difference in found.differences[:20]]
    lines.append("difference 0" if found.holds else f"{len(found.differences)} differences")
    return "\n".join(lines)
