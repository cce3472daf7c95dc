"""What is the same for every request of one key to one service: worked out once, kept with the key. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gate.decide import Ruling
from gate.replies import WOULD_REFUSE, limit_text, pass_text, policy_header
from gate.snapshot import KeySnapshot, ServiceFacts, SessionPart
from gate.specs import Kind, is_told_limits, kind_of, pack_spec, rate_name
from stats.events import encode_request
from stats.outcomes import Outcome


@dataclass(slots=True, eq=False)
class Use:
    """A key, a service (None: the path names none), and why memory alone refuses it (None: it does not).

    `spec` is what the counting script gets, `session_spec` the same for a request that names its autocomplete
    session, where the service has such; `rate_name` goes before the caller's address; `event_head` is the
    beginning of the event's line; `policy` (with what a report-only list has to say) and `identity` are whole header
    lines; `limits` is the `RateLimit`
    header with a place for each number (empty: it is not told), `pass_text` the whole answer to a proxy where it
    may pass; `window_s` is the window of its rate; `counts_elements`: its units are those of its query.
    """

    key: KeySnapshot
    service: ServiceFacts | None
    refused: Outcome | None
    spec: bytes
    session_spec: bytes | None
    rate_name: bytes
    event_head: bytes
    policy: bytes
    identity: bytes
    limits: bytes
    pass_text: bytes
    window_s: int
    counts_elements: bool = False

    @classmethod
    def of(cls, key: KeySnapshot, service: ServiceFacts | None, ruling: Ruling) -> Use:
        refused = ruling.refused
        identity = b"X-Account-Id: %d\r\nX-Key-Id: %d\r\n" % (key.account_id, key.key_id)
        policy = policy_header(key, service) + (WOULD_REFUSE if ruling.would_refuse else b"")
        limits = limit_text(key, service) if refused is None or is_told_limits(refused) else b""
        part = SessionPart.NONE if service is None else service.session_part
        return cls(
            key,
            service,
            refused,
            spec=pack_spec(key, service, refused),
            session_spec=None if part is SessionPart.NONE else pack_spec(key, service, refused, part),
            rate_name=rate_name(key, service),
            event_head=encode_request(
                account_id=key.account_id,
                key_id=key.key_id,
                service_id=0 if service is None else service.id,
                units=0 if service is None else service.units,
                price_micro_usd=0 if service is None else key.prices.get(service.id, 0),
                would_refuse=ruling.would_refuse,
            ),
            policy=policy,
            identity=identity,
            limits=limits,
            pass_text=pass_text(identity, policy, limits),
            window_s=1 if kind_of(key, service) is Kind.MAP_PART else key.rate_window_s,
            counts_elements=service is not None and service.counts_elements,
        )

    def event_head_of(self, units: int) -> bytes:
        """`event_head` of a request that has so many units; what they cost the script says."""
        account, key, service, _, _, rest = self.event_head.split(b"\t", 5)
        return b"%b\t%b\t%b\t%d\t0\t%b" % (account, key, service, units, rest)
