"""Makes the demo account, or completes it."""

from __future__ import annotations

from typing import Any

from billing.demo import EMAIL, PASSWORD, demo_seed
from goongdash.commands import ReportingCommand
from goongdash.lib.clock import utc_now


class Command(ReportingCommand):
    help = "Make the demo account with its keys and 90 days of made usage. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        demo = demo_seed(now=utc_now())
        facts = {"email": EMAIL, "password": PASSWORD, "keys": demo.keys}
        lines = [f"{EMAIL} / {PASSWORD}", *(f"{slug:<11}{text}" for slug, text in demo.keys.items())]
        self.report(facts, "\n".join(lines))
