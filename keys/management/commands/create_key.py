"""Creates a key for an account."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from accounts.selectors import account_by_email
from goongdash.commands import CommandError, CommandParser, ReportingCommand
from goongdash.lib.money import MoneyError, parse_usd
from keys.errors import KeyInvalid, RestrictionError
from keys.limits import MAX_LIMIT, KeyLimits
from keys.models import KeyType, RestrictionsMode
from keys.services import key_create


class Command(ReportingCommand):
    help = "Create an API key. Its text is printed once; the dashboard shows it again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, metavar="EMAIL", help="A member of the account.")
        parser.add_argument("--type", required=True, choices=KeyType.values)
        parser.add_argument("--name", required=True)
        parser.add_argument("--description", default="")
        parser.add_argument(
            "--allow",
            action="append",
            default=[],
            metavar="PATTERN_OR_IP",
            help="A URL pattern such as 'http*://example.com/*', an IP address or a CIDR range. May be repeated.",
        )
        parser.add_argument(
            "--report-only",
            action="store_true",
            help="Let pass what --allow does not, and record that it would have been refused.",
        )
        parser.add_argument("--allow-no-origin", action="store_true", help="Let requests pass that name no origin.")
        parser.add_argument("--requests-per-day", type=limit_argument, metavar="N", help="Lower than the plan's.")
        parser.add_argument("--requests-per-month", type=limit_argument, metavar="N", help="Of this key alone.")
        parser.add_argument("--spend-cap", type=cap_argument, metavar="USD", help="What it may cost in a month.")
        parser.add_argument("--expires", type=datetime.fromisoformat, help="An instant with its zone, ISO 8601.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = account_by_email(options["account"])
        if account is None:
            raise CommandError(f"There is no account of {options['account']}.")
        expires_at = options["expires"]
        if expires_at is not None and expires_at.tzinfo is None:
            raise CommandError("--expires needs a zone, such as 2027-01-31T00:00:00+07:00.", returncode=2)
        try:
            created = key_create(
                account=account,
                key_type=options["type"],
                name=options["name"],
                description=options["description"],
                restrictions=options["allow"],
                restrictions_mode=RestrictionsMode.REPORT_ONLY if options["report_only"] else RestrictionsMode.ENFORCED,
                allows_no_origin=options["allow_no_origin"],
                limits=KeyLimits(
                    requests_per_day=options["requests_per_day"],
                    requests_per_month=options["requests_per_month"],
                    spend_cap_micro_usd=options["spend_cap"],
                ),
                expires_at=expires_at,
            )
        except RestrictionError as error:
            entry = next((entry for entry in options["allow"] if error.fragment in entry), error.fragment)
            raise CommandError(f"--allow {entry!r}: {error.reason}", returncode=2) from None
        except KeyInvalid as error:
            raise CommandError(str(error), returncode=2) from None
        self.report({"id": created.key.pk, "key": created.text}, f"Key {created.key.pk}: {created.text}")


def limit_argument(text: str) -> int:
    limit = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MAX_LIMIT:,}.")
    return limit


def cap_argument(text: str) -> int:
    try:
        cap_micro_usd = parse_usd(text)
    except MoneyError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if cap_micro_usd <= 0:
        raise argparse.ArgumentTypeError("A cap is more than nothing.")
    return cap_micro_usd
