"""Corrects an account's balance."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.selectors import account_by_email
from billing.deposits import adjustment_post
from billing.errors import BillingError
from goongdash.commands import CommandError, CommandParser, ReportingCommand, usd_argument
from goongdash.lib.money import format_usd


class Command(ReportingCommand):
    help = "Correct an account's balance up, or with --down down. With the same reference again, nothing is done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("amount", type=usd_argument, help="In dollars, such as 5 or 0.25.")
        parser.add_argument("--account", metavar="EMAIL", required=True, help="The account of this user.")
        parser.add_argument("--reference", required=True, help="What tells this adjustment from others.")
        parser.add_argument("--reason", required=True, help="Shown in the ledger.")
        parser.add_argument("--down", action="store_true", help="Take the amount off.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = account_by_email(options["account"])
        if account is None:
            raise CommandError(f"There is no account of {options['account']}.")
        amount = -options["amount"] if options["down"] else options["amount"]
        try:
            with transaction.atomic():
                is_new = adjustment_post(
                    account=account, amount_micro_usd=amount, source=options["reference"], reason=options["reason"]
                )
                transaction.set_rollback(options["dry_run"])
        except BillingError as error:
            raise CommandError(str(error)) from None
        facts = {
            "account": account.pk,
            "amount_micro_usd": amount,
            "reference": options["reference"],
            "is_new": is_new,
            "dry_run": options["dry_run"],
        }
        done = "would be written" if options["dry_run"] else "written"
        said = done if is_new else "was written before"
        self.report(facts, f"The adjustment of {format_usd(amount)} for {account} {said}.")
