"""What the list shows of a key. Asks the database nothing: the keys come with their restrictions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from keys.models import ApiKey, KeyState, Restriction

_N_SHOWN = 2


@dataclass(frozen=True, slots=True)
class KeyRow:
    """`first` restrictions are shown at a glance, `more` on demand; `is_new` for a key just made."""

    key: ApiKey
    state: KeyState
    first: list[Restriction]
    more: list[Restriction]
    is_new: bool


def key_rows(keys: Iterable[ApiKey], *, now: datetime, new_id: int | None = None) -> list[KeyRow]:
    return [_row(key, now, is_new=key.pk == new_id) for key in keys]


def _row(key: ApiKey, now: datetime, *, is_new: bool) -> KeyRow:
    restrictions = list(key.restrictions.all())
    # A lone one left over takes no more room than the number of them.
    n_shown = _N_SHOWN if len(restrictions) > _N_SHOWN + 1 else len(restrictions)
    return KeyRow(key, key.state_at(now), restrictions[:n_shown], restrictions[n_shown:], is_new)
