"""Computes hourly and daily sums anew from usage records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings

from goongdash.commands import CommandError, CommandParser, ReportingCommand, day_argument
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, days
from stats.rollups import rollups_rebuild


class Command(ReportingCommand):
    help = "Rebuild the sums of a range of days from their records. Days without records are left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=day_argument, help="First day (default: as records go).")
        parser.add_argument("--to", dest="last", type=day_argument, help="Last day (default: today).")

    def handle(self, *args: Any, **options: Any) -> None:
        today = day_of(utc_now(), settings.BILLING_ZONE)
        last = options["last"] or today
        first = options["first"] or today - timedelta(days=settings.RAW_RETENTION_DAYS)
        if first > last:
            raise CommandError(f"{first} is after {last}.", returncode=2)
        every = list(days(first, last))
        n_records = sum(
            rollups_rebuild(first=day, last=day) for day in self.progress(every, total=len(every), unit="day")
        )
        facts = {"from": first, "to": last, "days": len(every), "records": n_records}
        self.report(facts, f"{n_records} records of {len(every)} days summed anew.")
