"""Adds new usage records to the hourly and daily sums."""

from __future__ import annotations

from typing import Any

from goongdash.commands import ReportingCommand
from stats.ingest import ingest_all
from stats.rollups import usage_roll_up


class Command(ReportingCommand):
    help = "Store waiting usage events and add new records to the sums. Safe to run at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        n_entries, n_records = ingest_all(), 0
        while n_new := usage_roll_up():
            n_records += n_new
        self.report({"entries": n_entries, "records": n_records}, f"{n_records} records added to the sums.")
