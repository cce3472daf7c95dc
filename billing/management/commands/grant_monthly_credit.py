"""Grants the plans' monthly credit."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.commands import AccountCommand
from billing.ledger import accounts_without_credit, monthly_credit_grant
from goongdash.commands import CommandParser, month_argument
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_of


class Command(AccountCommand):
    help = "Give every active account the monthly credit of its plan, once a month. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", type=month_argument, help="A month such as 2026-11 (default: this one).")
        parser.add_argument("--account", metavar="EMAIL", help="Only the account of this user.")

        parser.add_argument("--dry-run", action="store_true", help="Say how many would get some, and give nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        month = options["month"] or Month.of(day_of(utc_now(), settings.BILLING_ZONE))
        account, is_dry = self.account(options["account"]), options["dry_run"]
        accounts = list(accounts_without_credit(month)) if account is None else [account]
        n_granted = sum(
            monthly_credit_grant(month=month, accounts=[each], is_dry=is_dry)
            for each in self.progress(accounts, total=len(accounts), unit="account")
        )
        would = "would be granted" if is_dry else "granted"
        facts = {"month": str(month), "granted": n_granted, "dry_run": is_dry}
        self.report(facts, f"Credit of {month} {would} to {n_granted} accounts.")
