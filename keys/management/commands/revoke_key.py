"""Revokes a key at once."""

from __future__ import annotations

from typing import Any

from goongdash.commands import CommandError, CommandParser, ReportingCommand
from keys.selectors import key_by_reference
from keys.services import key_revoke


class Command(ReportingCommand):
    help = "Revoke an API key, named by its id or its text: every gate refuses it at once. Safe to run twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="The key's id or text.")

    def handle(self, *args: Any, **options: Any) -> None:
        key = key_by_reference(options["key"])
        if key is None:
            raise CommandError("There is no such key.")
        was_active = key_revoke(key=key)
        self.report(
            {"id": key.pk, "revoked": was_active},
            f"Key {key.pk} is revoked." if was_active else f"Key {key.pk} was revoked before.",
        )
