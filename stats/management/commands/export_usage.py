"""Writes an account's usage as CSV or JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings
from django.http import Http404

from accounts.models import Account
from accounts.selectors import account_by_email
from goongdash.commands import CommandError, CommandParser, ReportingCommand, day_argument
from goongdash.lib.clock import utc_now
from keys.models import Service
from stats.export_cuts import cut_asked
from stats.exports import WRITERS, export_rows, whole_file
from stats.periods import EXPORT_GRAINS, Grain, Period
from stats.queries import Dimension
from stats.view_exports import export_of

BAD_ARGUMENTS = 2


class Command(ReportingCommand):
    help = (
        "Write an account's usage: each sum of a key, service and outcome or, with --by, as the statistics page "
        "cuts it. Without --output, to standard output."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, metavar="EMAIL", help="A member of the account.")
        parser.add_argument("--from", dest="first", required=True, type=day_argument, help="The first day.")
        parser.add_argument("--to", dest="last", required=True, type=day_argument, help="The last day, included.")
        parser.add_argument("--grain", choices=[grain.value for grain in Grain], default=Grain.DAY.value)
        parser.add_argument(
            "--by",
            choices=[each.value for each in Dimension],
            help="One row for each of these only; keys that took each other's place are one.",
        )
        parser.add_argument(
            "--only", action="append", default=[], metavar="NAME=VALUE", help="A filter, with --by; may be repeated."
        )
        parser.add_argument("--format", choices=sorted(WRITERS), help="csv (the default) or json, which --json means.")
        parser.add_argument("--output", type=Path, metavar="FILE", help="Written whole or not at all.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = account_by_email(options["account"])
        if account is None:
            raise CommandError(f"There is no account of {options['account']}.", returncode=BAD_ARGUMENTS)
        period, grain = self._period(options), Grain(options["grain"])
        if options["by"]:
            return self._cut(account, period, grain, options)
        if options["only"] or grain not in EXPORT_GRAINS:
            raise CommandError("Filters, minutes and months need --by.", returncode=BAD_ARGUMENTS)
        head = {
            "account": options["account"],
            "from": str(period.first),
            "to": str(period.last),
            "grain": grain.value,
            "time_zone": settings.BILLING_TIME_ZONE,
        }
        write = WRITERS[self._format(options)]
        with closing(export_rows(account=account, period=period, grain=grain)) as rows:
            if options["output"] is None:
                self._print(lambda out: write(rows, out, head))
            else:
                self._save(options["output"], lambda out: write(rows, out, head), head)

    def _cut(self, account: Account, period: Period, grain: Grain, options: dict[str, Any]) -> None:
        services, head = list(Service.objects.all()), {"account": options["account"]}
        try:
            view = cut_asked(
                account,
                first=period.first,
                last=period.last,
                grain=grain,
                by=Dimension(options["by"]),
                held_to=options["only"],
                services=services,
                now=utc_now(),
            )
        except (ValueError, Http404) as error:
            raise CommandError(str(error), returncode=BAD_ARGUMENTS) from None
        lines = export_of(account, view, services=services, format=self._format(options))

        def write(out: TextIO) -> int:
            n_lines = sum(text.count("\n") for text in lines if out.write(text))
            return n_lines - (1 if self._format(options) == "csv" else 2)  # Without the head, and JSON's end.

        self._save(options["output"], write, head) if options["output"] else self._print(write)

    def _save(self, path: Path, write: Callable[[TextIO], int], head: dict[str, Any]) -> None:
        try:
            with whole_file(path) as out:
                n_rows = write(out)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} can't be written: {getattr(error, 'strerror', error)}.") from None
        self.report({**head, "rows": n_rows, "file": str(path)}, f"{n_rows} rows in {path}.")

    def _print(self, write: Callable[[TextIO], int]) -> None:
        self.stdout.ending = ""
        try:
            write(cast("TextIO", self.stdout))
            self.stdout.flush()
        except BrokenPipeError:
            # The reader has seen enough. What is left in the buffer goes nowhere, or Python would complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _period(self, options: dict[str, Any]) -> Period:
        first, last = options["first"], options["last"]
        if first > last:
            raise CommandError(f"{first} is after {last}.", returncode=BAD_ARGUMENTS)
        return Period(first, last)

    def _format(self, options: dict[str, Any]) -> str:
        if self.as_json and options["format"] == "csv":
            raise CommandError("--json and --format csv exclude each other.", returncode=BAD_ARGUMENTS)
        return "json" if self.as_json else options["format"] or "csv"
