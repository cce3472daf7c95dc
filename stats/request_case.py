"""What is known of one recorded request: the record, its key and plan, and what of these was changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings

from accounts.models import Account
from goongdash.lib.periods import day_of
from keys.limits import MAP_PART_RATE_LIMIT, lower_of
from keys.models import ApiKey, KeyState, Service, Unit
from keys.origins import parse_url
from keys.restrictions import RestrictionEntry, parse_entry
from stats.explanations import Limit, RequestFacts
from stats.key_past import Since, blocked_name, entries_before
from stats.list_check import ListCheck, list_check
from stats.models import UsageRecord
from stats.outcomes import BY_NUMBER, Outcome

# What of a key, by its name in the history, an outcome is about.
ABOUT: Mapping[Outcome, tuple[str, ...]] = {
    Outcome.ORIGIN_NOT_ALLOWED: ("restrictions", "allows_no_origin", "restrictions_mode"),
    Outcome.SERVICE_NOT_ALLOWED: ("services",),
    Outcome.KEY_EXPIRED: ("expires_at",),
    Outcome.RATE_LIMIT: ("rate_limit",),
    Outcome.DAILY_QUOTA: ("requests_per_day", "requests that day"),
    Outcome.KEY_DISABLED: ("disabled",),
}
OF_THE_PLAN = frozenset({Outcome.RATE_LIMIT, Outcome.DAILY_QUOTA, Outcome.MONTHLY_QUOTA})


@dataclass(frozen=True, slots=True)
class RequestCase:
    """The key comes with its restrictions, services and blocked origins.

    `since` has what of the key was changed after the request.
    """

    account: Account
    record: UsageRecord
    key: ApiKey
    service: Service | None
    since: Mapping[str, Since] = field(default_factory=dict)
    plan_changed_at: datetime | None = None

    @property
    def outcome(self) -> Outcome:
        return BY_NUMBER[self.record.outcome]

    def facts_at(self, now: datetime) -> RequestFacts:
        return RequestFacts(
            outcome=self.outcome,
            key_type=self.key.type,
            service=self.service.title if self.service else "",
            opened_by=self.service.key_type if self.service else "",
            is_map_load=self._is_unit(Unit.MAP_LOAD),
            origin=self.record.origin,
            address=self.record.ip if settings.SHOW_WHOLE_ADDRESSES else "",
            limit=self.limit,
            is_over=self.is_over_at(now),
            is_blocked=self._host in self._blocked_then,
            is_blocked_now=self._host in self._blocked_now,
            is_spiked=self.key.is_disabled_by_spike or self._is_cut_on(day_of(now, settings.BILLING_ZONE)),
            would_refuse=self.record.would_refuse,
            is_deleted=self.key.revoked_at is not None,
        )

    @property
    def is_about_the_list(self) -> bool:
        """Whether the key's list refused it, or would have, had it been enforced."""
        return self.outcome is Outcome.ORIGIN_NOT_ALLOWED or self.record.would_refuse

    @property
    def changed_at(self) -> datetime | None:
        """When what the outcome is about was changed last since; None if it was not."""
        about = ABOUT.get(self.outcome, ())
        if self.is_about_the_list:
            about = (*ABOUT[Outcome.ORIGIN_NOT_ALLOWED], blocked_name(self._host))
        moments = [self.since[name].changed_at for name in about if name in self.since]
        if self.plan_changed_at is not None and self.outcome in OF_THE_PLAN:
            moments.append(self.plan_changed_at)
        return max(moments, default=None)

    @property
    def list_then(self) -> ListCheck | None:
        """The list as it was beside the request; None where the history has not all of it."""
        entries = entries_before(self.since["restrictions"]) if "restrictions" in self.since else self._entries
        name = "allows_no_origin"
        allows_no_origin = self.since[name].before if name in self.since else self.key.allows_no_origin
        return None if entries is None else self._check(entries, bool(allows_no_origin), self._blocked_then)

    @property
    def list_now(self) -> ListCheck:
        return self._check(self._entries, self.key.allows_no_origin, self._blocked_now)

    def is_over_at(self, now: datetime) -> bool:
        """Whether what refused the request refuses such a request no more."""
        if self.key.state_at(now) is not KeyState.ACTIVE:
            return False
        match self.outcome:
            case Outcome.KEY_EXPIRED | Outcome.KEY_DISABLED | Outcome.KEY_REVOKED:
                return True
            case Outcome.ORIGIN_NOT_ALLOWED:
                return self.list_now.is_allowed or (self.key.is_report_only and self._host not in self._blocked_now)
            case Outcome.ALLOWED:
                return self.record.would_refuse and self.list_now.is_allowed
            case Outcome.SERVICE_NOT_ALLOWED:
                opened = {service.pk for service in self.key.services.all()}
                return not opened or self.record.service_id in opened
            case _:
                return False

    @property
    def limit(self) -> Limit | None:
        """The limit that bound: the key's own as it was then, the plan's as it is today."""
        plan = self.account.plan
        match self.outcome:
            case Outcome.RATE_LIMIT if self._is_unit(Unit.NONE):
                return Limit(MAP_PART_RATE_LIMIT)
            case Outcome.RATE_LIMIT:
                return _lower(self._own("rate_limit"), plan.rate_limit, window_s=plan.rate_window_s)
            case Outcome.DAILY_QUOTA:
                limit = _lower(self._own("requests_per_day"), plan.requests_per_day)
                cut = self._cut_then
                return limit if cut is None or (limit and limit.number <= cut) else Limit(cut, is_cut=True)
            case Outcome.MONTHLY_QUOTA if self._is_unit(Unit.MAP_LOAD):
                return _lower(None, plan.map_loads_per_month)
            case Outcome.MONTHLY_QUOTA:
                return _lower(None, plan.requests_per_month)
            case _:
                return None

    def _own(self, name: str) -> int | None:
        value: int | None = self.since[name].before if name in self.since else getattr(self.key, name)
        return value

    @property
    def _cut_then(self) -> int | None:
        """What the key was cut to on the day of the request, for being used far more than usual."""
        if (since := self.since.get("requests that day")) is not None:
            quota: int | None = since.before
            return quota
        zone = settings.BILLING_ZONE
        return self.key.spike_quota_on(day_of(self.record.at, zone), zone)

    def _is_cut_on(self, day: date) -> bool:
        return self.key.spike_quota_on(day, settings.BILLING_ZONE) is not None

    @property
    def _host(self) -> str:
        return getattr(parse_url(self.record.origin), "host", "")

    @property
    def _blocked_now(self) -> set[str]:
        return {blocked.host for blocked in self.key.blocked_origins.all()}

    @property
    def _blocked_then(self) -> set[str]:
        since = self.since.get(blocked_name(self._host))
        others = self._blocked_now - {self._host}
        is_blocked = self._host in self._blocked_now if since is None else since.before
        return others | {self._host} if is_blocked else others

    def _is_unit(self, unit: Unit) -> bool:
        return self.service is not None and self.service.unit == unit

    @property
    def _entries(self) -> list[RestrictionEntry]:
        return [parse_entry(restriction.text) for restriction in self.key.restrictions.all()]

    def _check(self, entries: list[RestrictionEntry], allows_no_origin: bool, blocked: set[str]) -> ListCheck:
        return list_check(
            entries,
            origin=self.record.origin,
            page_path=self.record.page_path,
            ip=self.record.ip,
            allows_no_origin=allows_no_origin,
            blocked=blocked,
            shows_address=settings.SHOW_WHOLE_ADDRESSES,
        )


def _lower(own: int | None, plans: int | None, *, window_s: int = 1) -> Limit | None:
    number = lower_of(own, plans)
    if number is None:
        return None
    return Limit(number, is_keys_own=own is not None and (plans is None or own < plans), window_s=window_s)
