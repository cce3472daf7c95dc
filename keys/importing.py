"""Takes over the keys of another provider: all of a list, or none of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.db import transaction

from accounts.models import Account
from keys.errors import KeyInvalid, RestrictionError
from keys.import_rows import ImportRow
from keys.key_text import is_importable, mask, type_of
from keys.models import ApiKey, RestrictionsMode
from keys.services import key_create
from keys.vault import lookup_digest


class Fate(StrEnum):
    IMPORTED = "imported"
    EXISTS = "exists"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What became of a row; of a list that is not taken over, what would have. `masked` is all there is of a text."""

    number: int
    name: str
    masked: str
    fate: Fate
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """`is_done`: the keys are there now. Not done are a trial run and a list with a refused row."""

    rows: list[ImportedRow]
    is_done: bool

    def count(self, fate: Fate) -> int:
        return sum(row.fate is fate for row in self.rows)


def keys_import(*, account: Account, rows: Iterable[ImportRow], now: datetime, is_trial: bool = False) -> Import:
    """Makes a key of each row, in one transaction: one row that cannot be leaves none behind.

    A key that `account` has already is left as it is, so that a list may be taken over twice. A trial does all
    of it and takes it back, so that it says what a real run would.
    """
    first_seen: dict[str, int] = {}
    with transaction.atomic():
        found = [_import_row(account, row, now, first_seen) for row in rows]
        is_done = not is_trial and all(row.fate is not Fate.REFUSED for row in found)
        if not is_done:
            transaction.set_rollback(True)
    return Import(found, is_done)


def _import_row(account: Account, row: ImportRow, now: datetime, first_seen: dict[str, int]) -> ImportedRow:
    try:
        fate = _take_over(account, row, now, first_seen)
    except (KeyInvalid, RestrictionError) as error:
        return ImportedRow(row.number, _printable(row), _masked(row.text), Fate.REFUSED, str(error))
    return ImportedRow(row.number, row.name, _masked(row.text), fate)


def _take_over(account: Account, row: ImportRow, now: datetime, first_seen: dict[str, int]) -> Fate:
    """Raises KeyInvalid and RestrictionError, with a sentence that quotes no key."""
    _check(row, now)
    digest = lookup_digest(row.text)
    if (before := first_seen.setdefault(digest, row.number)) != row.number:
        raise KeyInvalid(f"Row {before} has the same text.")
    known = ApiKey.objects.filter(lookup_digest=digest, account=account).first()
    if known is not None and known.revoked_at is not None:
        raise KeyInvalid("This key was deleted here; undo that, which is possible for 30 days.")
    if known is not None:
        return Fate.EXISTS
    key_create(
        account=account,
        key_type=row.key_type,
        name=row.name,
        description=row.description,
        restrictions=row.restrictions,
        restrictions_mode=row.mode,
        created_at=row.created_at and row.created_at.astimezone(UTC),
        text=row.text,
    )
    return Fate.IMPORTED


def _check(row: ImportRow, now: datetime) -> None:
    if row.fault:
        raise KeyInvalid(row.fault)
    if row.key_type not in ("rest", "tiles"):
        raise KeyInvalid("The type is neither rest nor tiles.")
    if row.mode not in RestrictionsMode.values:
        raise KeyInvalid("The mode of the restrictions is neither enforced nor report_only.")
    if not is_importable(row.text):
        raise KeyInvalid("The text of a key is 16 to 200 letters, digits and . _ ~ - characters.")
    if type_of(row.text) not in (None, row.key_type):
        raise KeyInvalid("The text is that of a key of the other type.")
    if row.text in row.name or row.text in row.description:
        raise KeyInvalid("The name or the description has the key itself in it.")
    if not _is_storable(row.name + row.description):
        raise KeyInvalid("The name or the description has characters in it that cannot be stored.")
    if row.created_at is not None and row.created_at > now:
        raise KeyInvalid("It was created in the future.")


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _masked(text: str) -> str:
    """Empty for what cannot be a key: of a short text the mask would show most."""
    return mask(text) if is_importable(text) else ""


def _printable(row: ImportRow) -> str:
    """The name of a refused row, without the key where it has it in it or stands in the wrong column."""
    words = row.name.replace(row.text, _masked(row.text)) if row.text else row.name
    return " ".join(mask(word) if is_importable(word) else word for word in words.split())
