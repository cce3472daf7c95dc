"""What can be called (services), with what (API keys), and from where (restrictions)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from accounts.audit_actions import ActorKind
from accounts.models import Account
from goongdash.lib.periods import day_of
from keys.limits import KeyLimits
from keys.service_names import service_name


class KeyType(models.TextChoices):
    REST = "rest", _("API key")
    TILES = "tiles", _("Map tiles key")


class Unit(models.TextChoices):
    """What a service is charged by. Of a matrix each element is a unit, and the request still one for every limit."""

    REQUEST = "request", _("request")
    MAP_LOAD = "map_load", _("map load")
    ELEMENT = "element", _("element of a matrix")
    NONE = "none", _("part of a map load")


class SessionRole(models.TextChoices):
    """What a request to a service is in the autocomplete session that its `sessiontoken` names."""

    NONE = "", _("no part of sessions")
    SEARCH = "search", _("search: the first of a session pays for all")
    DETAIL = "detail", _("detail: ends the session that pays for it")


class Service(models.Model):
    """One billable API: the paths that call it and the key type that opens it."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    api_version = models.CharField(max_length=4, blank=True)
    key_type = models.CharField(max_length=5, choices=KeyType.choices)
    unit = models.CharField(max_length=10, choices=Unit.choices, default=Unit.REQUEST)
    session_role = models.CharField(max_length=6, choices=SessionRole.choices, default=SessionRole.NONE, blank=True)
    path = models.CharField(max_length=200, unique=True, help_text="In lower case; * is any run of characters but /.")
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["position"]

    def __str__(self) -> str:
        return f"{self.name} {self.api_version}".strip()

    @property
    def name_said(self) -> str:
        """Its name in the language of whoever reads."""
        return service_name(self.name)

    @property
    def title(self) -> str:
        """The same with the version of the API."""
        return f"{self.name_said} {self.api_version}".strip()


class KeyState(models.TextChoices):
    ACTIVE = "active", _("Active")
    DISABLED = "disabled", _("Disabled")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Deleted")


class OnSpike(models.TextChoices):
    """What happens to a key that is suddenly used far more than usual. Its account is told in any case."""

    REPORT = "report", _("Only tell me")
    QUOTA = "quota", _("Cut it for the day")
    DISABLE = "disable", _("Disable it")


class RestrictionsMode(models.TextChoices):
    """Whether a key's list refuses, or lets pass and has it recorded that it would have refused."""

    ENFORCED = "enforced", _("Enforced")
    REPORT_ONLY = "report_only", _("Report only")


def _none_or_positive(*fields: str) -> models.Q:
    return models.Q(*(models.Q((field, None)) | models.Q((f"{field}__gte", 1)) for field in fields))


class ApiKey(models.Model):
    """A key of an account. Its text is kept as a keyed digest, for look-up, and as a ciphertext, for showing."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="keys")
    type = models.CharField(max_length=5, choices=KeyType.choices)
    name = models.CharField(max_length=100)
    description = models.TextField(max_length=1_000, blank=True)
    lookup_digest = models.CharField(max_length=64, unique=True, editable=False)
    ciphertext = models.BinaryField(editable=False)
    masked_text = models.CharField(max_length=32, editable=False)
    allows_no_origin = models.BooleanField(
        default=False, help_text="Let requests that name no origin pass a list of URL patterns."
    )
    restrictions_mode = models.CharField(
        max_length=11,
        choices=RestrictionsMode.choices,
        default=RestrictionsMode.ENFORCED,
        help_text="For report only, a request that the list would refuse passes, and is recorded as such.",
    )
    services = models.ManyToManyField(
        Service, blank=True, related_name="+", help_text="What the key opens; none chosen is all of its type."
    )
    rate_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Requests in the plan's window for each IP address; empty for the plan's."
    )
    requests_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Lower than the plan's limit; empty for the plan's."
    )
    requests_per_month = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of this key alone; empty for none but the account's."
    )
    spend_cap_micro_usd = models.BigIntegerField(
        null=True, blank=True, help_text="What the key may cost in a month, in micro-dollars; empty for no cap."
    )
    on_spike = models.CharField(max_length=7, choices=OnSpike.choices, default=OnSpike.REPORT)
    spiked_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it was cut or disabled for its use; empty when lifted."
    )
    spike_quota = models.PositiveIntegerField(
        null=True, blank=True, editable=False, help_text="Requests on the day of `spiked_at` that it is cut to."
    )
    version = models.PositiveIntegerField(
        default=1, editable=False, help_text="One more with each change: who edits an older one is told so."
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_by = models.CharField(
        max_length=8,
        choices=ActorKind.choices,
        blank=True,
        editable=False,
        help_text="What an operator switched off, only an operator switches on.",
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(
        max_length=10, choices=ActorKind.choices, blank=True, editable=False, help_text="Who deleted it."
    )

    lineage = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The first of the keys that took each other's place; empty for one that was never rotated.",
    )

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        verbose_name = "API key"
        indexes: ClassVar = [
            models.Index(fields=["account", "-created_at"], name="apikey_account_newest"),
            models.Index("account", Upper("name"), name="apikey_account_name"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(type__in=KeyType.values), name="apikey_type_known"),
            models.CheckConstraint(
                condition=models.Q(restrictions_mode__in=RestrictionsMode.values), name="apikey_restrictions_mode_known"
            ),
            models.CheckConstraint(
                condition=models.Q(rate_limit=None) | models.Q(rate_limit__gte=1), name="apikey_rate_limit_positive"
            ),
            models.CheckConstraint(
                condition=_none_or_positive("requests_per_month", "spend_cap_micro_usd"),
                name="apikey_month_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.masked_text})"

    @property
    def limits(self) -> KeyLimits:
        return KeyLimits(
            rate_limit=self.rate_limit,
            requests_per_day=self.requests_per_day,
            requests_per_month=self.requests_per_month,
            spend_cap_micro_usd=self.spend_cap_micro_usd,
        )

    def spike_quota_on(self, day: date, zone: ZoneInfo) -> int | None:
        """What the key is cut to on `day`; None where it is not cut, or was on another day."""
        is_cut = self.spiked_at is not None and day_of(self.spiked_at, zone) == day
        return self.spike_quota if is_cut else None

    @property
    def is_disabled_by_spike(self) -> bool:
        return self.disabled_at is not None and self.disabled_at == self.spiked_at

    @property
    def counted_id(self) -> int:
        """Whose counters its requests count in: keys of one lineage share their limits."""
        return self.lineage_id or self.pk

    @property
    def may_be_enabled(self) -> bool:
        """Whether the account's own members may switch it on again."""
        return self.disabled_at is not None and self.disabled_by in {ActorKind.MEMBER, ActorKind.SYSTEM}

    @property
    def is_report_only(self) -> bool:
        return self.restrictions_mode == RestrictionsMode.REPORT_ONLY

    def state_at(self, now: datetime) -> KeyState:
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.disabled_at is not None:
            return KeyState.DISABLED
        if self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        return KeyState.ACTIVE


class Rotation(models.Model):
    """That one key takes another's place. Both work until `ends_at`; it is under way until the old one is deleted.

    `ends_at` is never after the old key's own expiry, which is kept in `old_expires_at`: meanwhile the key expires
    when the overlap ends, so that the gate ends it on the instant.
    """

    old = models.OneToOneField(ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="rotation")
    new = models.OneToOneField(ApiKey, on_delete=models.CASCADE, related_name="rotated_from")
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quiet_for = models.DurationField(
        null=True, blank=True, help_text="Unused for so long, the old key is retired early; empty: it is not."
    )
    old_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(old=models.F("new")), name="rotation_of_two_keys"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gte=models.F("started_at")), name="rotation_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"

    @property
    def quiet_hours(self) -> int:
        """`quiet_for` in whole hours, 0 for none."""
        return 0 if self.quiet_for is None else self.quiet_for // timedelta(hours=1)


class RestrictionKind(models.TextChoices):
    URL = "url", _("URL pattern")
    IP = "ip", _("IP range")


class Restriction(models.Model):
    """One URL pattern or IP range on a key, in its normalised text."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="restrictions")
    kind = models.CharField(max_length=3, choices=RestrictionKind.choices)
    text = models.CharField(max_length=2_000)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "text"], name="restriction_once_per_key")]

    def __str__(self) -> str:
        return self.text


class BlockedOrigin(models.Model):
    """A web site that a key is refused from, whatever its restriction list says."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="blocked_origins")
    host = models.CharField(max_length=253, help_text="In normal form; with every scheme and port.")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["host"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "host"], name="blockedorigin_once_per_key")]

    def __str__(self) -> str:
        return self.host


class KeyOrigin(models.Model):
    """An origin that a key was let pass from, with sums. Written by the rollup; nothing decides by it.

    A key has a bounded number of them: what more there are share the row OTHERS. `n_hour` are the requests of the
    hour that begins at `hour_at`, which may be past. `weighed_at` is when it was decided whether the account is to
    be told that the origin is new; `told_at` when it was told of the origin last.
    """

    OTHERS = "*"

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="origins", db_index=False)
    origin = models.CharField(max_length=255, blank=True, help_text="Empty where requests named none.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    n_requests = models.BigIntegerField()
    hour_at = models.DateTimeField()
    n_hour = models.BigIntegerField()
    weighed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "origin"], name="keyorigin_once")]
        indexes: ClassVar = [
            models.Index(fields=["hour_at"], name="keyorigin_hour"),
            models.Index(fields=["id"], condition=models.Q(weighed_at=None), name="keyorigin_to_be_weighed"),
        ]

    def __str__(self) -> str:
        return self.origin


class KeyUse(models.Model):
    """When a key was last let pass, to the minute, and from where. Written by the rollup; nothing decides by it."""

    key = models.OneToOneField(ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="use")
    used_at = models.DateTimeField()
    origin = models.CharField(max_length=255, blank=True)
    ip = models.GenericIPAddressField()

    def __str__(self) -> str:
        return f"{self.used_at:%Y-%m-%d %H:%M}"
