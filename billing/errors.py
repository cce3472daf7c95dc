"""What billing refuses to do.

MonthNotOver (ValueError)   a month cannot be closed while it runs
"""

from __future__ import annotations


class MonthNotOver(ValueError):
    """The month still runs in the installation's zone; `args[0]` is a sentence for the operator."""
