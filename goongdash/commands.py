"""What management commands share: a report for people or, with --json, for scripts; arguments read by type.

Exit codes: 0 done; 1 done, and what was asked for does not hold, or it could not be done; 2 bad arguments.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts.actors import Actor, acting
from accounts.audit_actions import ActorKind
from goongdash.lib.money import MoneyError, parse_usd
from goongdash.lib.periods import Month, PeriodError

T = TypeVar("T")


class ReportingCommand(BaseCommand):
    """A command whose `handle` calls `report` once, at its end."""

    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print one JSON object.")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.as_json = bool(options.get("as_json"))
        name = type(self).__module__.rpartition(".")[2]
        with acting(lambda: Actor(ActorKind.COMMAND, name)):
            return super().execute(*args, **options)

    def report(self, facts: dict[str, Any], text: str) -> None:
        self.stdout.write(json.dumps(facts, default=str, ensure_ascii=False) if self.as_json else text)

    def progress(self, items: Iterable[T], *, total: int | None = None, unit: str = "") -> Iterable[T]:
        """`items` with a progress bar on standard error, where that is a terminal."""
        bar: Iterable[T] = tqdm(items, total=total, unit=unit, file=self.stderr, disable=None)
        return bar


def month_argument(text: str) -> Month:
    try:
        return Month.parse(text)
    except PeriodError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def usd_argument(text: str) -> int:
    """Micro-dollars."""
    try:
        return parse_usd(text)
    except MoneyError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def day_argument(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as 2026-11-23.") from None
    if not 1970 <= day.year <= 9998:
        raise argparse.ArgumentTypeError(f"{text!r} is out of range.")
    return day


__all__ = ["CommandError", "CommandParser", "ReportingCommand", "day_argument", "month_argument", "usd_argument"]
