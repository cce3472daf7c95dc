"""What is the same for every request of one key to one service: worked out once, kept with the key. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gate.replies import policy_header
from gate.snapshot import KeySnapshot, ServiceFacts
from gate.specs import Kind, kind_of, pack_spec
from stats.events import encode_request
from stats.outcomes import Outcome


@dataclass(slots=True, eq=False)
class Use:
    """A key, a service (None: the path names none), and why memory alone refuses it (None: it does not).

    `spec` is what the counting script gets, `event_head` the beginning of the event's line, `policy` and
    `identity` whole header lines, `window_s` the window of its rate.
    """

    key: KeySnapshot
    service: ServiceFacts | None
    refused: Outcome | None
    spec: bytes
    event_head: bytes
    policy: bytes
    identity: bytes
    window_s: int

    @classmethod
    def of(cls, key: KeySnapshot, service: ServiceFacts | None, refused: Outcome | None) -> Use:
        return cls(
            key,
            service,
            refused,
            spec=pack_spec(key, service, refused),
            event_head=encode_request(
                account_id=key.account_id,
                key_id=key.key_id,
                service_id=0 if service is None else service.id,
                units=0 if service is None else service.units,
                price_micro_usd=0 if service is None else key.prices.get(service.id, 0),
            ),
            policy=policy_header(key, service),
            identity=b"X-Account-Id: %d\r\nX-Key-Id: %d\r\n" % (key.account_id, key.key_id),
            window_s=1 if kind_of(key, service) is Kind.MAP_PART else key.rate_window_s,
        )
