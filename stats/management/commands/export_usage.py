"""Writes an account's usage as CSV or JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings

from accounts.selectors import account_by_email
from goongdash.commands import CommandError, CommandParser, ReportingCommand, day_argument
from stats.exports import WRITERS, export_rows, whole_file
from stats.periods import EXPORT_GRAINS, Grain, Period

BAD_ARGUMENTS = 2


class Command(ReportingCommand):
    help = "Write an account's usage by hour or day, key, service and outcome. Without --output, to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, metavar="EMAIL", help="A member of the account.")
        parser.add_argument("--from", dest="first", required=True, type=day_argument, help="The first day.")
        parser.add_argument("--to", dest="last", required=True, type=day_argument, help="The last day, included.")
        parser.add_argument("--grain", choices=[grain.value for grain in EXPORT_GRAINS], default=Grain.DAY.value)
        parser.add_argument("--format", choices=sorted(WRITERS), help="csv (the default) or json, which --json means.")
        parser.add_argument("--output", type=Path, metavar="FILE", help="Written whole or not at all.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = account_by_email(options["account"])
        if account is None:
            raise CommandError(f"There is no account of {options['account']}.", returncode=BAD_ARGUMENTS)
        period, grain = self._period(options), Grain(options["grain"])
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
