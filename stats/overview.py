"""What the statistics page says of a period beside its chart: totals and their change, groups, refusals. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stats.cut_charts import CutChart, GroupName, measured
from stats.outcomes import OUTCOMES, Outcome
from stats.queries import OTHER, BusiestHour, Group, Measure, UsageCut
from stats.series import Totals, percent


@dataclass(frozen=True, slots=True)
class Change:
    """How much more (+) or less (-) than in the period before, in whole percent; None where that had nothing."""

    percent: int | None
    n_before: int

    @property
    def is_new(self) -> bool:
        return self.percent is None


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One row of the table of groups. `href` leads to this group alone; empty for all the others together."""

    label: str
    swatch: str
    totals: Totals
    percent: float
    href: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """How many requests had an outcome. `code` is what the caller was told, empty for an allowed request."""

    outcome: Outcome
    n_requests: int
    percent: float

    @property
    def label(self) -> str:
        return OUTCOMES[self.outcome].label

    @property
    def code(self) -> str:
        return OUTCOMES[self.outcome].code

    @property
    def status(self) -> int:
        return OUTCOMES[self.outcome].status

    @property
    def tone(self) -> str:
        return OUTCOMES[self.outcome].tone


@dataclass(frozen=True, slots=True)
class UsageOverview:
    """`n_parts` of the requests asked for parts of map loads, which are free. `main_refusal` is the most frequent.

    `busiest` is None where there are no requests, or the page asks for it after itself.
    """

    totals: Totals
    before: Totals
    n_parts: int
    groups: list[GroupLine]
    outcomes: list[OutcomeLine]
    chart: CutChart
    busiest: BusiestHour | None

    @property
    def main_refusal(self) -> OutcomeLine | None:
        return next((line for line in self.outcomes if line.outcome is not Outcome.ALLOWED), None)

    @property
    def requests_change(self) -> Change:
        return change(self.before.n_requests, self.totals.n_requests)

    @property
    def cost_change(self) -> Change:
        return change(self.before.cost_micro_usd, self.totals.cost_micro_usd)

    @property
    def refusals_change(self) -> Change:
        return change(self.before.n_refused, self.totals.n_refused)


def change(before: int, now: int) -> Change:
    """Rounded half away from zero, in integers."""
    if before == 0:
        return Change(None, 0)
    doubled = abs(now - before) * 200 + before
    amount = doubled // (2 * before)
    return Change(amount if now >= before else -amount, before)


def group_lines(
    cut: UsageCut, names: Mapping[Group, GroupName], measure: Measure, href_of: Callable[[GroupName], str]
) -> list[GroupLine]:
    """The groups in their order, each with its share of what is measured."""
    by_group = cut.by_group
    whole = measured(cut.totals, measure)
    return [
        GroupLine(
            names[group].label,
            names[group].swatch,
            by_group[group],
            percent(measured(by_group[group], measure), whole),
            "" if group is OTHER else href_of(names[group]),
        )
        for group in cut.groups
    ]


def outcome_lines(totals: Mapping[Outcome, Totals]) -> list[OutcomeLine]:
    """Allowed first, then the others from the most frequent to the least."""
    by_outcome = {outcome: each.n_requests for outcome, each in totals.items()}
    whole = sum(by_outcome.values())

    def order(outcome: Outcome) -> tuple[bool, int, int]:
        return outcome is not Outcome.ALLOWED, -by_outcome[outcome], OUTCOMES[outcome].number

    ordered = sorted(by_outcome, key=order)
    return [OutcomeLine(each, by_outcome[each], percent(by_outcome[each], whole)) for each in ordered]
