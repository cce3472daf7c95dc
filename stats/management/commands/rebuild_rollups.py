"""Computes all sums of usage anew from its records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings

from accounts.models import Account
from accounts.selectors import account_by_email
from goongdash.commands import CommandError, CommandParser, ReportingCommand, day_argument
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, days
from stats.rollups import rollups_rebuild


class Command(ReportingCommand):
    help = "Rebuild the sums of a range of days from their records. Days without records are left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=day_argument, help="First day (default: as records go).")
        parser.add_argument("--to", dest="last", type=day_argument, help="Last day (default: today).")
        parser.add_argument("--account", metavar="EMAIL", help="Of one account only: that of this member.")
        parser.add_argument("--dry-run", action="store_true", help="Count the records, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        today = day_of(utc_now(), settings.BILLING_ZONE)
        last = options["last"] or today
        first = options["first"] or today - timedelta(days=settings.RAW_RETENTION_DAYS)
        if first > last:
            raise CommandError(f"{first} is after {last}.", returncode=2)
        account, is_dry = self._account(options["account"]), options["dry_run"]
        every = list(days(first, last))
        n_records = sum(
            rollups_rebuild(first=day, last=day, account=account, is_dry=is_dry)
            for day in self.progress(every, total=len(every), unit="day")
        )
        facts = {"from": first, "to": last, "days": len(every), "records": n_records, "dry_run": is_dry}
        done = "would be summed anew" if is_dry else "summed anew"
        self.report(facts, f"{n_records} records of {len(every)} days {done}.")

    def _account(self, email: str | None) -> Account | None:
        if email is None:
            return None
        account = account_by_email(email)
        if account is None:
            raise CommandError(f"There is no account of {email}.", returncode=2)
        return account
