"""Closes a month: the statements of every account."""

from __future__ import annotations

from typing import Any

from accounts.commands import AccountCommand
from billing.errors import MonthNotOver
from billing.statements import accounts_to_close, month_close
from goongdash.commands import CommandError, CommandParser, month_argument
from goongdash.lib.clock import utc_now
from stats.rollups import usage_catch_up


class Command(AccountCommand):
    help = "Write the statements of a month that is over. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=month_argument, help="A month such as 2026-10.")
        parser.add_argument("--account", metavar="EMAIL", help="Only the account of this user.")

        parser.add_argument("--dry-run", action="store_true", help="Say what would be written, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        month, account, is_dry = options["month"], self.account(options["account"]), options["dry_run"]
        if not is_dry:
            usage_catch_up()
        closing = month_close(month=month, now=utc_now(), account=account, is_dry=is_dry)
        try:
            total = len(accounts_to_close(month, account))
            statements = [s for s in self.progress(closing, total=total, unit="account") if s is not None]
        except MonthNotOver as error:
            raise CommandError(str(error)) from None
        gross = sum(statement.gross_micro_usd for statement in statements)
        facts = {"month": str(month), "statements": len(statements), "gross_micro_usd": gross, "dry_run": is_dry}
        done = "would be written" if is_dry else "written"
        self.report(facts, f"{len(statements)} statements of {month} {done}.")
