"""What a month would have cost by the price book as it is now. It changes nothing: charges are never made anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from accounts.commands import AccountCommand
from billing.repricing import Repriced, month_repriced
from goongdash.commands import CommandError, CommandParser, month_argument
from goongdash.lib.money import format_usd
from goongdash.lib.periods import Month

SHOWN = 20


class Command(AccountCommand):
    help = "Say what the usage of a month would have cost by the price book as it is now. Needs --dry-run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", type=month_argument, required=True, help="A month such as 2026-10.")
        parser.add_argument("--account", metavar="EMAIL", help="Only the account of this user.")
        parser.add_argument("--dry-run", action="store_true", help="There is nothing else: what was charged stands.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            raise CommandError(
                "What was charged stands, so there is only --dry-run. Correct a bill with `adjust`.", returncode=2
            )
        month, account = options["month"], self.account(options["account"])
        found = list(self.progress(month_repriced(month, account=account), unit="account"))
        charged, repriced = (sum(amounts) for amounts in zip(*map(_amounts, found), strict=True)) if found else (0, 0)
        facts = {
            "month": str(month),
            "charged_micro_usd": charged,
            "repriced_micro_usd": repriced,
            "difference_micro_usd": repriced - charged,
            "accounts": [asdict(each) for each in found],
            "dry_run": True,
        }
        self.report(facts, _text(month, found, charged, repriced))


def _amounts(each: Repriced) -> tuple[int, int]:
    return each.charged_micro_usd, each.repriced_micro_usd


def _text(month: Month, found: list[Repriced], charged: int, repriced: int) -> str:
    lines = [_line(f"account {each.account_id}", *_amounts(each)) for each in found if each.difference_micro_usd]
    left_out = [f"and {len(lines) - SHOWN} accounts more that differ"] if len(lines) > SHOWN else []
    return "\n".join([*lines[:SHOWN], *left_out, _line(f"{month}, all in all", charged, repriced)])


def _line(whose: str, charged: int, repriced: int) -> str:
    return f"{whose}: charged {format_usd(charged)}, now {format_usd(repriced)} ({format_usd(repriced - charged)})"
