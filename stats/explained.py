"""One recorded request with its explanation: what the page of a request id shows, and a key page of its refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts.models import Account
from goongdash.lib.addresses import shown_address
from keys.models import ApiKey, Service
from stats.explanations import Explanation, explanation_of
from stats.key_past import changes_since, plan_changed_since
from stats.list_check import ListCheck
from stats.log_query import LogQuery
from stats.models import UsageRecord
from stats.outcomes import OUTCOMES, TOO_MANY_REQUESTS, Outcome, OutcomeFacts
from stats.repairs import RepairLink, repair_link
from stats.request_case import ABOUT, OF_THE_PLAN, RequestCase
from stats.request_log import log_page

REFUSALS = tuple(facts.number for outcome, facts in OUTCOMES.items() if outcome is not Outcome.ALLOWED)


@dataclass(frozen=True, slots=True)
class ExplainedRequest:
    """A record in words; `repairs` come best first.

    `list_check` is the key's list beside the request, where that is what refused it: as the list was then or,
    where `is_list_of_today`, as it is, because the history has not all of it. `changed_at` is when what refused
    the request was changed last since; `is_over` says that it refuses such requests no more.
    """

    record: UsageRecord
    outcome: Outcome
    key: ApiKey
    service: Service | None
    explanation: Explanation
    repairs: tuple[RepairLink, ...]
    list_check: ListCheck | None = None
    is_list_of_today: bool = False
    changed_at: datetime | None = None
    is_over: bool = False

    @property
    def facts(self) -> OutcomeFacts:
        return OUTCOMES[self.outcome]

    @property
    def is_refused(self) -> bool:
        return self.outcome is not Outcome.ALLOWED

    @property
    def is_limit(self) -> bool:
        """Whether a limit was met: then nothing says whether it would be met today."""
        return self.facts.status == TOO_MANY_REQUESTS

    @property
    def address(self) -> str:
        """As the installation shows addresses."""
        return shown_address(self.record.ip, is_whole=settings.SHOW_WHOLE_ADDRESSES)


def request_explained(account: Account, record: UsageRecord, *, now: datetime) -> ExplainedRequest:
    """The record with all that is known of why it was decided so, the history of its key included."""
    key = ApiKey.objects.prefetch_related("restrictions", "services", "blocked_origins").get(pk=record.key_id)
    service = None if record.service_id is None else Service.objects.filter(pk=record.service_id).first()
    case = RequestCase(account, record, key, service)
    if case.is_about_the_list or case.outcome in ABOUT or case.outcome in OF_THE_PLAN:
        since = changes_since(account, key.pk, record.at)
        case = RequestCase(account, record, key, service, since, plan_changed_since(account, record.at))
    return _explained(case, now)


def recent_refusals(account: Account, key: ApiKey, limit: int, *, now: datetime) -> list[ExplainedRequest]:
    """The newest refusals of a key, each with its reason and repair, as far back as a page of the log looks.

    The list and the limits are those of today: the history is not asked, the page of the request does that. For
    few queries the key comes with its restrictions, services and blocked origins prefetched.
    """
    page = log_page(account=account, query=LogQuery(key_id=key.pk, outcomes=REFUSALS), now=now, size=limit)
    services = {service.pk: service for service in Service.objects.all()} if page.records else {}
    cases = (RequestCase(account, record, key, services.get(record.service_id or 0)) for record in page.records)
    return [_explained(case, now) for case in cases]


def _explained(case: RequestCase, now: datetime) -> ExplainedRequest:
    facts = case.facts_at(now)
    explanation = explanation_of(facts)
    list_then = case.list_then if case.is_about_the_list else None
    return ExplainedRequest(
        record=case.record,
        outcome=case.outcome,
        key=case.key,
        service=case.service,
        explanation=explanation,
        repairs=_links(explanation, case),
        list_check=list_then or (case.list_now if case.is_about_the_list else None),
        is_list_of_today=case.is_about_the_list and list_then is None,
        changed_at=case.changed_at,
        is_over=facts.is_over,
    )


def _links(explanation: Explanation, case: RequestCase) -> tuple[RepairLink, ...]:
    """Each once: a repair that cannot be made is replaced by the next best."""
    links = (
        repair_link(each, key_id=case.key.pk, origin=case.record.origin, address=case.record.ip)
        for each in explanation.repairs
    )
    return tuple({link.url: link for link in links}.values())
