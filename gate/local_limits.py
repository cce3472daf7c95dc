"""Limits without the store, in this process's memory, while it is away and the gate stays open. Pure.

The same rules as the counting script's, all or nothing, and the same verdicts. What it cannot promise: it knows
what the rollups said when the key was loaded and what the store said last, not what other gates do meanwhile.
So each of the installation's `n_processes` takes an equal part of what was left of a day, a month or a credit,
rounded down: together they never give more than was left as they knew it, and one may refuse while another has
some. Rates and sessions are each process's own: a caller who reaches all of them gets `n_processes` times the
rate, and pays for a session in each. Likewise each prices by the volume that it knows of. Memory is bounded: of too
many keys the longest known are forgotten, and begin again at what the rollups said.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from gate.local_rates import Rates, wait_us
from gate.local_sessions import Session, Sessions, after
from gate.snapshot import KeySnapshot, OwnLimits, ServiceFacts, ServicePrice, SessionPart
from gate.specs import (
    MAP_PART_WINDOW_MS,
    NO_LIMIT,
    Kind,
    Verdict,
    is_told_limits,
    kind_of,
    month_limit,
    own_month_limit,
)
from gate.today import Today
from keys.limits import MAP_PART_RATE_LIMIT
from stats.outcomes import OUTCOMES, Outcome

MAX_COUNTERS = 200_000
ALLOWED = OUTCOMES[Outcome.ALLOWED].number

K = TypeVar("K", bound=Hashable)


class Asked(NamedTuple):
    """One request that the store gave no verdict on.

    `refused` is why memory alone refuses it (None: it does not); `caller` who shares its rate, `token` its session
    (empty: none) and `units` what it has of them, as the script is told them; `event` is the end of its event's line.
    """

    key: KeySnapshot
    service: ServiceFacts | None
    refused: Outcome | None
    caller: bytes
    event: bytes
    token: bytes = b""
    units: int = 1

    @property
    def kind(self) -> Kind:
        return kind_of(self.key, self.service)

    @property
    def service_price(self) -> ServicePrice | None:
        """What the service costs where a price for one unit does not say it."""
        return None if self.service is None else self.key.tiered.get(self.service.id)

    def price_micro_usd(self, start: int, now_us: int) -> int:
        """What its units cost, the month's first of them being number `start`."""
        if (price := self.service_price) is not None:
            return price.at(now_us).cost(start, start + self.units)
        return 0 if self.service is None else self.units * self.key.prices.get(self.service.id, 0)

    @property
    def tells_cost(self) -> bool:
        """Whether its event's line cannot know what it costs, as in the script."""
        return self.service is not None and (self.service_price is not None or self.service.counts_elements)

    @property
    def session(self) -> tuple[int, bytes]:
        return self.key.account_id, self.token

    @property
    def session_part(self) -> SessionPart:
        return self.service.session_part if self.service is not None and self.token else SessionPart.NONE

    def allowance_micro_usd(self, month: int) -> int:
        """What the account may spend in `month` (202611), 0 where the snapshot does not say."""
        credit = self.key.credit
        known = {credit.month: credit.allowance_micro_usd, credit.next_month: credit.next_allowance_micro_usd}
        return known.get(month, 0)


class Decided(NamedTuple):
    """The verdict; whether the request is charged, and for how much; the session as it was before."""

    verdict: Verdict
    is_charged: bool = False
    price_micro_usd: int = 0
    session: Session | None = None

    @property
    def is_allowed(self) -> bool:
        return self.verdict.number == ALLOWED


@dataclass(slots=True)
class _Counter:
    """What is used in one period: `base` before this process counted, `taken` by it since."""

    period: int
    base: int
    taken: int = 0

    @property
    def used(self) -> int:
        return self.base + self.taken

    def left(self, limit: int, n_processes: int) -> int:
        return max(0, max(0, limit - self.base) // n_processes - self.taken)


class _Counters(OrderedDict[K, _Counter], Generic[K]):
    """Counters by name. Full, it forgets the longest known."""

    def of(self, name: K, period: int, base: int) -> _Counter:
        """The counter of this period; one that is not known begins at `base`."""
        counter = self.get(name)
        if counter is None or counter.period != period:
            counter = self.begin(name, _Counter(period, base))
        elif not counter.taken:
            # The rollups may have heard of more than the store had said to us.
            counter.base = max(counter.base, base)
        return counter

    def begin(self, name: K, counter: _Counter) -> _Counter:
        while len(self) >= MAX_COUNTERS and name not in self:
            self.popitem(last=False)
        self[name] = counter
        return counter


class _Touched(NamedTuple):
    """All that one request counts against, besides its rate.

    The key's own month only where it has limits of it, the service's units only where its price has tiers.
    """

    day: _Counter
    month: _Counter
    spent: _Counter
    own_month: _Counter | None
    own_spent: _Counter | None
    units: _Counter | None

    def take(self, n: int, price_micro_usd: int, units: int) -> None:
        """Counts one request (`n` is 1), or one less (-1); `units` are those that are charged."""
        self.day.taken += n
        self.month.taken += n
        self.spent.taken += n * price_micro_usd
        if self.own_month is not None and self.own_spent is not None:
            self.own_month.taken += n
            self.own_spent.taken += n * price_micro_usd
        if self.units is not None:
            self.units.taken += n * units


@dataclass(slots=True)
class LocalLimits:
    """`decide` decides and counts, `take_back` undoes, `learn` hears what the store says, `forget` begins anew."""

    zone: ZoneInfo
    n_processes: int = 1
    _today: Today = field(default_factory=lambda: Today(0, 0, 0, 0))
    _rates: Rates = field(default_factory=Rates)
    _sessions: Sessions = field(default_factory=Sessions)
    _days: _Counters[int] = field(default_factory=_Counters)
    _months: _Counters[tuple[int, bool]] = field(default_factory=_Counters)
    _spent: _Counters[int] = field(default_factory=_Counters)
    _own_months: _Counters[int] = field(default_factory=_Counters)
    _own_spent: _Counters[int] = field(default_factory=_Counters)
    _units: _Counters[tuple[int, int]] = field(default_factory=_Counters)

    def learn(self, key: KeySnapshot, service: ServiceFacts | None, verdict: Verdict, now_us: int) -> None:
        """Hears what the store says is left of a day and a month; it takes the place of what was known of them."""
        kind = kind_of(key, service)
        if kind is Kind.MAP_PART:
            return
        today, per_month, own = self._on(now_us), month_limit(key, kind), own_month_limit(key)
        if verdict.left_day != NO_LIMIT and key.requests_per_day is not None:
            self._days.begin(key.counted_id, _Counter(today.day, key.requests_per_day - verdict.left_day))
        if verdict.left_month != NO_LIMIT and per_month is not None:
            name = (key.account_id, kind is Kind.MAP_LOAD)
            self._months.begin(name, _Counter(today.month, per_month - verdict.left_month))
        if verdict.left_own != NO_LIMIT and own is not None:
            self._own_months.begin(key.counted_id, _Counter(today.month, own - verdict.left_own))

    def forget(self) -> None:
        """Drops what was counted here: the store is back, and has been told of all of it."""
        self._rates, self._sessions = Rates(), Sessions()
        for counters in (self._days, self._months, self._spent, self._own_months, self._own_spent, self._units):
            counters.clear()

    def decide(self, asked: Asked, now_us: int) -> Decided:
        """What the counting script would say at `now_us` (microseconds since 1970), as far as memory knows."""
        if asked.refused is not None and not is_told_limits(asked.refused):
            return Decided(Verdict(OUTCOMES[asked.refused].number, NO_LIMIT, 0, NO_LIMIT, NO_LIMIT))
        touched = None if asked.kind is Kind.MAP_PART else self._touched(asked, now_us)
        session = self._sessions.find(asked.session, now_us) if asked.session_part else None
        is_charged = session is None or not session.is_open
        price = 0
        if is_charged and touched is not None:
            price = asked.price_micro_usd(touched.units.used if touched.units is not None else 0, now_us)
        verdict = self._said(asked, touched, price, now_us)
        if verdict.number != ALLOWED:
            return Decided(verdict)
        self._rates.add(asked.caller, now_us)
        if touched is not None:
            touched.take(1, price, asked.units if is_charged else 0)
        if asked.session_part:
            self._sessions.put(asked.session, after(session, asked.session_part, now_us))
        number, rate, wait, *left = verdict
        return Decided(Verdict(number, rate - 1, wait, *map(_less, left)), is_charged, price, session)

    def take_back(self, asked: Asked, decided: Decided, now_us: int) -> None:
        """Undoes the allowed verdict on `asked`: it was refused after all."""
        self._rates.take_back(asked.caller)
        if asked.kind is not Kind.MAP_PART:
            units = asked.units if decided.is_charged else 0
            self._touched(asked, now_us).take(-1, decided.price_micro_usd, units)
        if asked.session_part:
            self._sessions.put(asked.session, decided.session)

    def _said(self, asked: Asked, touched: _Touched | None, price_micro_usd: int, now_us: int) -> Verdict:
        """The verdict before anything is counted, its limits tried in the script's order."""
        limit, window_us = asked.key.rate_limit, asked.key.rate_window_s * 1_000_000
        left_day = left_month = left_own = NO_LIMIT
        if touched is None:
            limit, window_us = MAP_PART_RATE_LIMIT, MAP_PART_WINDOW_MS * 1_000
        else:
            left_day = self._left(asked.key.requests_per_day, touched.day)
            left_month = self._left(month_limit(asked.key, asked.kind), touched.month)
            if touched.own_month is not None:
                left_own = self._left(own_month_limit(asked.key), touched.own_month)
        passes = self._rates.recent(asked.caller, now_us, window_us)
        left_rate = max(0, limit - len(passes))
        wait = 0 if asked.refused else wait_us(passes, limit, window_us, now_us)
        outcome = asked.refused or Outcome.ALLOWED
        if not asked.refused:
            if wait:
                outcome = Outcome.RATE_LIMIT
            elif left_day == 0:
                outcome = Outcome.DAILY_QUOTA
            elif left_month == 0 or left_own == 0:
                outcome = Outcome.MONTHLY_QUOTA
            elif touched is not None and price_micro_usd:
                outcome = self._money_refusal(asked, touched, price_micro_usd) or outcome
        return Verdict(OUTCOMES[outcome].number, left_rate, wait, left_day, left_month, left_own)

    def _left(self, limit: int | None, counter: _Counter) -> int:
        return NO_LIMIT if limit is None else counter.left(limit, self.n_processes)

    def _money_refusal(self, asked: Asked, touched: _Touched, price_micro_usd: int) -> Outcome | None:
        """Which limit of money the price would pass, in the script's order."""

        def lacks(counter: _Counter | None, limit_micro_usd: int | None) -> bool:
            if counter is None or limit_micro_usd is None:
                return False
            return price_micro_usd > counter.left(limit_micro_usd, self.n_processes)

        own = asked.key.own or OwnLimits()
        if lacks(touched.spent, asked.allowance_micro_usd(touched.spent.period)):
            return Outcome.CREDIT_EXHAUSTED
        if lacks(touched.spent, own.budget_micro_usd):
            return Outcome.ACCOUNT_BUDGET
        return Outcome.KEY_BUDGET if lacks(touched.own_spent, own.spend_cap_micro_usd) else None

    def _touched(self, asked: Asked, now_us: int) -> _Touched:
        key, today, is_map = asked.key, self._on(now_us), asked.kind is Kind.MAP_LOAD
        used = key.used
        is_day, is_month = used.day == today.day, used.month == today.month
        n_month = used.n_map_loads if is_map else used.n_requests
        own_month = own_spent = None
        if key.own is not None:
            n_own, own_used = (used.n_key_this_month, used.key_spent_micro_usd) if is_month else (0, 0)
            own_month = self._own_months.of(key.counted_id, today.month, n_own)
            own_spent = self._own_spent.of(key.counted_id, today.month, own_used)
        return _Touched(
            self._days.of(key.counted_id, today.day, used.n_key_today if is_day else 0),
            self._months.of((key.account_id, is_map), today.month, n_month if is_month else 0),
            self._spent.of(key.account_id, today.month, used.spent_micro_usd if is_month else 0),
            own_month,
            own_spent,
            self._units_of(asked, today),
        )

    def _units_of(self, asked: Asked, today: Today) -> _Counter | None:
        price, service, key = asked.service_price, asked.service, asked.key
        if price is None or service is None or not price.counts_units:
            return None
        base = key.used.units.get(service.id, 0) if key.used.month == today.month else 0
        return self._units.of((key.account_id, service.id), today.month, base)

    def _on(self, now_us: int) -> Today:
        if not self._today.holds(now_us):
            self._today = Today.at(now_us, self.zone)
        return self._today


def _less(left: int) -> int:
    return left if left == NO_LIMIT else left - 1
