"""Adds new usage records to the sums."""

from __future__ import annotations

from typing import Any

from goongdash.commands import ReportingCommand
from stats.rollups import usage_catch_up


class Command(ReportingCommand):
    help = "Store waiting usage events and add new records to the sums. Safe to run at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        n_entries, n_records = usage_catch_up()
        self.report({"entries": n_entries, "records": n_records}, f"{n_records} records added to the sums.")
