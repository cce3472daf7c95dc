"""Revokes a key at once, or takes that back."""

from __future__ import annotations

import time
from typing import Any

import redis

from accounts.receipts import Receipt, receipt_read
from goongdash.commands import CommandError, CommandParser, ReportingCommand
from keys.deletion import key_restore
from keys.errors import KeyHeld
from keys.models import ApiKey
from keys.selectors import key_by_reference
from keys.services import key_revoke

POLL_S = 0.02


class Command(ReportingCommand):
    help = (
        "Revoke an API key, named by its id or its text: every gate refuses it at once. --undo takes that back within"
        " 30 days. Safe to run twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="The key's id or text.")
        parser.add_argument("--undo", action="store_true", help="Bring the key back; exit code 1 where it is too late.")
        parser.add_argument(
            "--wait",
            type=float,
            metavar="SECONDS",
            help="Wait so long for the gates to confirm; exit code 1 if one has not.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        key = key_by_reference(options["key"])
        if key is None:
            raise CommandError("There is no such key.")
        if options["undo"]:
            self._undo(key)
            return
        was_active = key_revoke(key=key)
        facts: dict[str, Any] = {"id": key.pk, "revoked": was_active}
        text = f"Key {key.pk} is revoked." if was_active else f"Key {key.pk} was revoked before."
        if options["wait"] is None:
            self.report(facts, text)
            return
        receipt = self._receipt(key, time.monotonic() + options["wait"])
        self.report({**facts, "confirmations": _facts(receipt)}, f"{text} {_text(receipt)}")
        if receipt is None or receipt.missing:
            raise CommandError("Not every gate has confirmed.")

    def _undo(self, key: ApiKey) -> None:
        try:
            was_deleted = key_restore(key=key)
        except KeyHeld as error:
            raise CommandError(f"Key {key.pk} stays revoked. {error}") from None
        text = f"Key {key.pk} works again." if was_deleted else f"Key {key.pk} was not revoked."
        self.report({"id": key.pk, "restored": was_deleted}, text)

    def _receipt(self, key: ApiKey, deadline: float) -> Receipt | None:
        """As soon as it is complete, or as it is at the deadline."""
        try:
            while (receipt := receipt_read(key.lookup_digest)) and receipt.missing and time.monotonic() < deadline:
                time.sleep(POLL_S)
        except redis.RedisError as error:
            raise CommandError(f"The key is revoked, but the confirmations cannot be read: {error}") from None
        return receipt


def _facts(receipt: Receipt | None) -> dict[str, Any] | None:
    if receipt is None:
        return None
    return {
        "confirmed": len(receipt.confirmed),
        "gates": receipt.n_counted,
        "confirmed_at": receipt.confirmed_at,
        "refused_by_all_at": receipt.forced_at if receipt.missing else receipt.confirmed_at,
        "missing": [str(each.gate) for each in receipt.missing],
    }


def _text(receipt: Receipt | None) -> str:
    if receipt is None:
        return "There is no receipt of it."
    if not receipt.n_counted:
        return "No gate was running."
    return f"{len(receipt.confirmed)} of {receipt.n_counted} gates have confirmed it."
