from __future__ import annotations


def statistics(r): ...
