"""Goes through all records in the order in which the store decided them and counts what should not be there. Pure.

Written apart from the gate's script, from the definition of each limit: in the `window_us` before a request, in its
day, in its month, at most so many passed; and what passed cost no more than the month's allowance.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from stats.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account's plan admits; None: without limit. Prices are micro-dollars by service id."""

    rate: int
    window_us: int
    per_day: int | None
    per_month: int | None
    allowance_micro_usd: int


@dataclass(frozen=True, slots=True)
class Change:
    """From `since_us` to `until_us` the limits before and after are both right: gates hear of it one by one."""

    since_us: int
    until_us: int
    after: Limits


@dataclass(frozen=True, slots=True)
class Decided:
    """One record. `at_us` is the store's clock, `on` its day, `price` what it costs if it passes."""

    at_us: int
    on: date
    account_id: int
    key_id: int
    ip: str
    outcome: Outcome
    price_micro_usd: int
    cost_micro_usd: int


@dataclass(slots=True)
class Judgement:
    """`overshoots` and `wrong_refusals` by limit, and overspent money in micro-dollars, are to be nought."""

    n: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    overshoots: Counter[Outcome] = field(default_factory=Counter)
    wrong_refusals: Counter[Outcome] = field(default_factory=Counter)
    overspent_micro_usd: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.overshoots.total() or self.wrong_refusals.total() or self.overspent_micro_usd)


class Judge:
    """`limits` and `changes` by account id."""

    def __init__(self, limits: dict[int, Limits], changes: dict[int, Change]) -> None:
        self._limits = limits
        self._changes = changes
        self._recent: defaultdict[tuple[int, str], deque[int]] = defaultdict(deque)
        self._n_day: Counter[tuple[int, date]] = Counter()
        self._n_month: Counter[tuple[int, int, int]] = Counter()
        self._spent: Counter[tuple[int, int, int]] = Counter()

    def judge(self, records: Iterable[Decided]) -> Judgement:
        found = Judgement()
        for record in records:
            found.n += 1
            self._judge_one(record, found)
        found.overspent_micro_usd = self._overspent()
        return found

    def _judge_one(self, record: Decided, found: Judgement) -> None:
        found.outcomes[record.outcome] += 1
        bound = [self._binding(record, limits) for limits in self._limits_at(record)]
        if record.outcome is Outcome.ALLOWED:
            # Under every set of limits that may have been in force, something should have refused it.
            if all(bound):
                found.overshoots[bound[0][0]] += 1
            self._count(record)
        elif not any(record.outcome in binding for binding in bound):
            found.wrong_refusals[record.outcome] += 1

    def _limits_at(self, record: Decided) -> Sequence[Limits]:
        before, change = self._limits[record.account_id], self._changes.get(record.account_id)
        if change is None or record.at_us < change.since_us:
            return [before]
        return [change.after] if record.at_us > change.until_us else [before, change.after]

    def _binding(self, record: Decided, limits: Limits) -> list[Outcome]:
        """The limits that leave no room for this request."""
        recent = self._recent[record.key_id, record.ip]
        while recent and recent[0] + limits.window_us <= record.at_us:
            recent.popleft()
        month = (record.account_id, record.on.year, record.on.month)
        n_day, n_month = self._n_day[record.key_id, record.on], self._n_month[month]
        is_over = {
            Outcome.RATE_LIMIT: len(recent) >= limits.rate,
            Outcome.DAILY_QUOTA: limits.per_day is not None and n_day >= limits.per_day,
            Outcome.MONTHLY_QUOTA: limits.per_month is not None and n_month >= limits.per_month,
            Outcome.CREDIT_EXHAUSTED: self._spent[month] + record.price_micro_usd > limits.allowance_micro_usd,
        }
        return [outcome for outcome, binds in is_over.items() if binds]

    def _count(self, record: Decided) -> None:
        month = (record.account_id, record.on.year, record.on.month)
        self._recent[record.key_id, record.ip].append(record.at_us)
        self._n_day[record.key_id, record.on] += 1
        self._n_month[month] += 1
        self._spent[month] += record.cost_micro_usd

    def _overspent(self) -> int:
        return sum(
            max(0, spent - self._limits[account_id].allowance_micro_usd)
            for (account_id, _, _), spent in self._spent.items()
        )
