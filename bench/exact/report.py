"""What `bench exact` found, as Markdown and as JSON."""

from __future__ import annotations

from typing import Any

from bench.exact.fleet import CLOCKS_APART_S
from bench.exact.judge import Judgement
from bench.exact.run import SAYS, ExactFound
from bench.machine import described
from bench.results import table
from stats.outcomes import Outcome


def as_markdown(found: ExactFound) -> str:
    judged = found.by_attack.values()
    clocks = ", ".join(f"{apart_s:+d}" for apart_s in CLOCKS_APART_S)
    totals = [
        ["requests", f"{found.statuses.total():,}"],
        ["of them passed", f"{found.statuses[200]:,}"],
        ["**wrong refusals**: a caller within all limits was refused", f"{_n_wrong(found):,}"],
        ["**overshoots**: more passed in a window, day or month than its limit", f"{_n_over(found):,}"],
        ["**credit overspent**, micro-USD", f"{sum(j.overspent_micro_usd for j in judged):,}"],
        ["answers that differ from what was recorded, or either without the other", f"{found.n_contradicted:,}"],
        ["attacks that did not reach their limit", f"{len(found.idle_attacks)}"],
    ]
    rows = [
        [
            f"`{name}`: {SAYS[name]}",
            *(f"{n:,}" for n in (j.n, j.outcomes[Outcome.ALLOWED], j.wrong_refusals.total(), j.overshoots.total())),
            f"{j.overspent_micro_usd:,}",
        ]
        for name, j in found.by_attack.items()
    ]
    return "\n\n".join(
        [
            described(),
            f"{len(CLOCKS_APART_S)} gates, whose clocks are {clocks} s from the store's, one store, one shard; every "
            "request goes to a gate by chance, and midnight, which ends the month, comes amid them. Each record is "
            "judged by the definition of the limits, in the order of decision and by the store's clock; for a second "
            "after a plan was lowered, both plans' limits are right. p99 from when a request was due to its answer: "
            f"{found.late_p99_ms:,.0f} ms, so hard were the gates pressed.",
            table(["all attacks", "number"], totals),
            table(["attack", "decided", "passed", "wrong refusals", "overshoots", "overspent"], rows),
        ]
    )


def as_json(found: ExactFound) -> dict[str, Any]:
    return {
        "statuses": dict(found.statuses),
        "n_wrong_refusals": _n_wrong(found),
        "n_overshoots": _n_over(found),
        "overspent_micro_usd": sum(j.overspent_micro_usd for j in found.by_attack.values()),
        "n_contradicted": found.n_contradicted,
        "idle_attacks": found.idle_attacks,
        "by_attack": {name: _of_judgement(judgement) for name, judgement in found.by_attack.items()},
    }


def _n_wrong(found: ExactFound) -> int:
    return found.n_strange + sum(judgement.wrong_refusals.total() for judgement in found.by_attack.values())


def _n_over(found: ExactFound) -> int:
    return sum(judgement.overshoots.total() for judgement in found.by_attack.values())


def _of_judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "n": judgement.n,
        "outcomes": dict(judgement.outcomes),
        "wrong_refusals": dict(judgement.wrong_refusals),
        "overshoots": dict(judgement.overshoots),
        "overspent_micro_usd": judgement.overspent_micro_usd,
    }
