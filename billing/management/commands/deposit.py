"""Records a deposit that was received, or a refund that was made."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.selectors import account_by_email
from billing.deposits import deposit_record, refund_record
from billing.errors import BillingError
from goongdash.commands import CommandError, CommandParser, ReportingCommand, usd_argument
from goongdash.lib.money import format_usd


class Command(ReportingCommand):
    help = "Record a deposit, or with --refund one that was given back. With the same reference again, nothing is done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("amount", type=usd_argument, help="In dollars, such as 100 or 12.50.")
        parser.add_argument("--account", metavar="EMAIL", required=True, help="The account of this user.")
        parser.add_argument(
            "--reference", required=True, help="What the payment is known by, such as the bank's number."
        )
        parser.add_argument("--note", default="", help="Shown in the ledger.")
        parser.add_argument("--refund", action="store_true", help="Money that goes back to the customer.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = account_by_email(options["account"])
        if account is None:
            raise CommandError(f"There is no account of {options['account']}.")
        record = refund_record if options["refund"] else deposit_record
        try:
            with transaction.atomic():
                is_new = record(
                    account=account,
                    amount_micro_usd=options["amount"],
                    source=options["reference"],
                    note=options["note"],
                )
                transaction.set_rollback(options["dry_run"])
        except BillingError as error:
            raise CommandError(str(error)) from None
        kind = "refund" if options["refund"] else "deposit"
        facts = {
            "account": account.pk,
            "kind": kind,
            "amount_micro_usd": options["amount"],
            "reference": options["reference"],
            "is_new": is_new,
            "dry_run": options["dry_run"],
        }
        done = "would be written" if options["dry_run"] else "written"
        said = done if is_new else "was written before"
        self.report(facts, f"The {kind} of {format_usd(options['amount'])} for {account} {said}.")
