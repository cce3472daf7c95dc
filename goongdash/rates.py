"""How often something may be asked for, as the environment names it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WINDOWS_S = {"s": 1, "m": 60, "h": 3_600}


@dataclass(frozen=True, slots=True)
class Rate:
    """`n` requests in `window_s` seconds."""

    n: int
    window_s: int

    def __str__(self) -> str:
        name = next(name for name, window_s in _WINDOWS_S.items() if window_s == self.window_s)
        return f"{self.n}/{name}"


def rate(text: str | Rate, **_options: object) -> Rate:
    """The rate of a text such as ``60/m``. Raises ValueError, its sentence meant for the operator."""
    if isinstance(text, Rate):
        return text
    found = re.fullmatch(r"([1-9][0-9]{0,6})/([smh])", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no rate; write it as 60/m (s, m or h).")
    return Rate(int(found[1]), _WINDOWS_S[found[2]])
