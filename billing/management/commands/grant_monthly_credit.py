"""Grants the plans' monthly credit."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.selectors import account_by_email
from billing.ledger import monthly_credit_grant
from goongdash.commands import CommandError, CommandParser, ReportingCommand, month_argument
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_of


class Command(ReportingCommand):
    help = "Give every active account the monthly credit of its plan, once a month. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", type=month_argument, help="A month such as 2026-11 (default: this one).")
        parser.add_argument("--account", metavar="EMAIL", help="Only the account of this user.")

    def handle(self, *args: Any, **options: Any) -> None:
        month = options["month"] or Month.of(day_of(utc_now(), settings.BILLING_ZONE))
        accounts = None
        if options["account"]:
            account = account_by_email(options["account"])
            if account is None:
                raise CommandError(f"There is no account of {options['account']}.")
            accounts = [account]
        n_granted = monthly_credit_grant(month=month, accounts=accounts)
        self.report({"month": str(month), "granted": n_granted}, f"Credit of {month} granted to {n_granted} accounts.")
