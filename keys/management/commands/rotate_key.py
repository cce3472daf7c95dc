"""Replaces a key by a new one that inherits everything."""

from __future__ import annotations

from typing import Any

from goongdash.commands import CommandError, CommandParser, ReportingCommand
from keys.errors import KeyHeld
from keys.overlap import Overlap, Quiet
from keys.rotation import key_rotate
from keys.selectors import key_by_reference


class Command(ReportingCommand):
    help = (
        "Make a new API key in the place of one, named by its id or its text: both work for the overlap. Safe to run"
        " twice: a rotation that is under way stays as it is, and the new key's text is printed the first time only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="The key's id or text.")
        parser.add_argument(
            "--overlap",
            choices=[overlap.value for overlap in Overlap],
            default=Overlap.DAY.value,
            help="How long the old key works on; never beyond its own expiry. Default: 24h.",
        )
        parser.add_argument(
            "--retire-unused",
            choices=[quiet.value for quiet in Quiet],
            default=Quiet.NEVER.value,
            help="Retire the old key earlier, when it was unused for so long. Default: never.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        key = key_by_reference(options["key"])
        if key is None:
            raise CommandError("There is no such key.")
        try:
            rotated = key_rotate(key=key, overlap=Overlap(options["overlap"]), quiet=Quiet(options["retire_unused"]))
        except KeyHeld as error:
            raise CommandError(f"Key {key.pk} is not rotated. {error}") from None
        rotation = rotated.rotation
        facts = {
            "id": rotation.new.pk,
            "key": rotated.text,
            "old_id": key.pk,
            "old_ends_at": rotation.ends_at.isoformat(),
            "rotated": rotated.text is not None,
        }
        what = (
            f"Key {rotation.new.pk}: {rotated.text}" if rotated.text else f"Key {rotation.new.pk} replaces it already"
        )
        self.report(facts, f"{what}. Key {key.pk} ends at {rotation.ends_at.isoformat(timespec='seconds')}.")
