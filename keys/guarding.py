"""Guards keys: blocks origins, cuts or disables a key that is used far more than usual, and lifts that again.

Every change is recorded, and announced to the gates after its commit.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.audit_actions import ActorKind, AuditAction
from accounts.changes import announce_key_change
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of
from keys.errors import OriginError
from keys.models import ApiKey, BlockedOrigin
from keys.origins import parse_url

MAX_BLOCKED = 100


def blockable_host(origin: str) -> str | None:
    """The host of an origin, in normal form; None for what is no origin."""
    page = parse_url(origin)
    return None if page is None else page.host


@transaction.atomic
def key_block_origin(*, key: ApiKey, origin: str) -> bool:
    """Refuses the key from the origin's host, with any scheme and port; False if it is blocked already.

    Raises OriginError for what is no origin, and where too many are blocked.
    """
    host = blockable_host(origin)
    if host is None:
        raise OriginError(_("That is not the address of a web site."))
    # Held, so that two at once can't go beyond the number.
    stored = ApiKey.objects.select_for_update(of=("self",)).select_related("account").get(pk=key.pk)
    hosts = set(stored.blocked_origins.values_list("host", flat=True))
    if host in hosts:
        return False
    if len(hosts) >= MAX_BLOCKED:
        words = _("%(n)s origins are blocked on this key. A restriction list keeps all others out.")
        raise OriginError(words % {"n": MAX_BLOCKED})
    BlockedOrigin.objects.create(key=stored, host=host, created_at=utc_now())
    _record(AuditAction.KEY_ORIGIN_BLOCKED, stored, origin=(None, host))
    return True


@transaction.atomic
def key_unblock_origin(*, key: ApiKey, host: str) -> bool:
    """Leaves the host to the restriction list again; False if it was not blocked."""
    n_deleted, _by_model = BlockedOrigin.objects.filter(key=key, host=host).delete()
    if n_deleted:
        _record(AuditAction.KEY_ORIGIN_UNBLOCKED, key, origin=(host, None))
    return bool(n_deleted)


@transaction.atomic
def key_cut(*, key: ApiKey, quota: int, at: datetime) -> None:
    """Holds the key to `quota` requests on the day of `at`, those made on it before included."""
    ApiKey.objects.filter(pk=key.pk).update(spiked_at=at, spike_quota=quota)
    _record(AuditAction.KEY_SPIKE_CUT, key, **{"requests that day": (key.requests_per_day, quota)})


@transaction.atomic
def key_disable_for_spike(*, key: ApiKey, at: datetime) -> None:
    """Refuses the key until that is lifted. One that is disabled already stays so for its own reason."""
    is_on = ApiKey.objects.filter(pk=key.pk, disabled_at=None)
    if is_on.update(spiked_at=at, spike_quota=None, disabled_at=at, disabled_by=ActorKind.SYSTEM):
        _record(AuditAction.KEY_SPIKE_DISABLED, key, disabled=(False, True))


@transaction.atomic
def key_lift(*, key: ApiKey) -> bool:
    """Takes back what was done to the key for its use; False where there is nothing to take back."""
    stored = ApiKey.objects.select_for_update(of=("self",)).select_related("account").get(pk=key.pk)
    if not is_held(stored, utc_now()):
        return False
    was = (
        {"disabled": (True, False)}
        if stored.is_disabled_by_spike
        else {"requests that day": (stored.spike_quota, None)}
    )
    if stored.is_disabled_by_spike:
        stored.disabled_at, stored.disabled_by = None, ""
    stored.spiked_at, stored.spike_quota = None, None
    stored.save(update_fields=["spiked_at", "spike_quota", "disabled_at", "disabled_by"])
    _record(AuditAction.KEY_SPIKE_LIFTED, stored, **was)
    return True


def is_held(key: ApiKey, now: datetime) -> bool:
    """Whether the key is cut or disabled for its use, at `now`."""
    zone = settings.BILLING_ZONE
    return key.is_disabled_by_spike or key.spike_quota_on(day_of(now, zone), zone) is not None


def _record(action: AuditAction, key: ApiKey, **changes: tuple[object, object]) -> None:
    audit(action, account=key.account, on=key, name=key.name, changes=changes)
    announce_key_change(key.lookup_digest)
