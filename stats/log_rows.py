"""What the request log shows of a record. Asks the database nothing: keys and services come along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from goongdash.lib.addresses import shown_address
from keys.models import ApiKey, Service
from stats.models import UsageRecord
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome, OutcomeFacts


@dataclass(frozen=True, slots=True)
class LogRow:
    """`key` is None for one that is gone from the database; `service` where the path named none."""

    record: UsageRecord
    outcome: Outcome
    key: ApiKey | None
    service: Service | None
    address: str

    @property
    def facts(self) -> OutcomeFacts:
        return OUTCOMES[self.outcome]

    @property
    def is_refused(self) -> bool:
        return self.outcome is not Outcome.ALLOWED


def log_rows(
    records: Iterable[UsageRecord], *, keys: Mapping[int, ApiKey], services: Mapping[int, Service]
) -> list[LogRow]:
    return [
        LogRow(
            record,
            BY_NUMBER[record.outcome],
            keys.get(record.key_id),
            services.get(record.service_id or 0),
            shown_address(record.ip, is_whole=settings.SHOW_WHOLE_ADDRESSES),
        )
        for record in records
    ]
