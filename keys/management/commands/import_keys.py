"""Takes over the keys of another provider for an account."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.selectors import account_by_email
from goongdash.commands import CommandError, CommandParser, ReportingCommand
from goongdash.lib.clock import utc_now
from keys.import_rows import ImportRow, ImportUnreadable, rows_of_csv, rows_of_json
from keys.importing import Fate, Import, keys_import


class Command(ReportingCommand):
    help = (
        "Take over API keys of any shape from a list with the columns text, type, name, description, restrictions,"
        " mode and created: all of them, or none where one cannot be. The texts are never printed. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="CSV with a heading, or JSON; “-” is standard input.")
        parser.add_argument("--account", required=True, metavar="EMAIL", help="A member of the account.")
        parser.add_argument("--format", choices=["csv", "json"], help="Default: by the name of the file, else csv.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do none of it.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = account_by_email(options["account"])
        if account is None:
            raise CommandError(f"There is no account of {options['account']}.")
        rows = self._rows(options["file"], options["format"])
        done = keys_import(
            account=account,
            rows=self.progress(rows, total=len(rows), unit=" keys"),
            now=utc_now(),
            is_trial=options["dry_run"],
        )
        self._report(done, is_trial=options["dry_run"])
        if done.count(Fate.REFUSED):
            raise SystemExit(1)

    def _rows(self, name: str, file_format: str | None) -> list[ImportRow]:
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            read = rows_of_json if (file_format or Path(name).suffix[1:].lower()) == "json" else rows_of_csv
            return read(content.decode("utf-8-sig"), zone=settings.BILLING_ZONE)
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=2) from None
        except UnicodeDecodeError:
            raise CommandError(f"{name} is not UTF-8.", returncode=2) from None
        except ImportUnreadable as error:
            raise CommandError(f"{name} cannot be read. {error}", returncode=2) from None

    def _report(self, done: Import, *, is_trial: bool) -> None:
        counts = {fate.value: done.count(fate) for fate in Fate}
        rows = [
            {"row": row.number, "name": row.name, "key": row.masked, "result": row.fate.value, "reason": row.reason}
            for row in done.rows
        ]
        lines = [f"{row.number:>6}  {row.fate:<8}  {row.masked:<11}  {row.name}  {row.reason}" for row in done.rows]
        facts = {"done": done.is_done, "dry_run": is_trial, **counts, "rows": rows}
        self.report(facts, "\n".join([*(line.rstrip() for line in lines), _summary(done, is_trial=is_trial)]))


def _summary(done: Import, *, is_trial: bool) -> str:
    n_imported, n_there, n_refused = (done.count(fate) for fate in (Fate.IMPORTED, Fate.EXISTS, Fate.REFUSED))
    if n_refused:
        return f"Nothing is imported: {n_refused} of {len(done.rows)} rows cannot be."
    verb = "would be" if is_trial else "are"
    return f"{n_imported} keys {verb} imported; {n_there} are there already."
