"""Interrupts work in the middle of its transactions: at a random statement, the connection seems to die."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from django.db import connection


class PowerCut(Exception):
    """What a crash looks like to the code that it hits."""


class _CutAfter:
    def __init__(self, n_statements: int) -> None:
        self.n_left = n_statements

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.n_left == 0:
            raise PowerCut
        self.n_left -= 1
        return execute(sql, params, many, context)


def until_done(act: Callable[[], object], chance: random.Random) -> int:
    """Runs `act`, cut off at random again and again, until one run gets through; returns how often it was cut."""
    n_cuts = 0
    while chance.random() < 0.4:
        try:
            with connection.execute_wrapper(_CutAfter(chance.randrange(12))):
                act()
        except PowerCut:
            n_cuts += 1
    act()
    return n_cuts
