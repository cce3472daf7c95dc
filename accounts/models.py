"""Who uses the site and who pays: users, plans, accounts, their members, and what they changed."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from accounts.audit_actions import ActorKind, action_label
from accounts.managers import UserManager


class User(AbstractUser):
    """A person, known by e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    language = models.CharField(
        max_length=10, blank=True, choices=settings.LANGUAGES, help_text="Empty: as the browser says."
    )
    browser_language = models.CharField(max_length=10, blank=True, help_text="As of the last sign-in.")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        # In capitals, as `email__iexact` compares: its index answers the look-up of every sign-in.
        constraints: ClassVar = [models.UniqueConstraint(Upper("email"), name="user_email_once_in_any_case")]

    def __str__(self) -> str:
        return self.email


class CreditPeriod(models.TextChoices):
    MONTHLY = "monthly", _("each month")
    ONCE = "once", _("once, at sign-up")


class CreditEnd(models.TextChoices):
    """What happens when the month's free credit is used up."""

    BALANCE = "balance", _("the balance is used")
    STOP = "stop", _("requests are refused")


class Plan(models.Model):
    """The limits and the free credit that an account has. Empty limits are none."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=50)
    position = models.PositiveSmallIntegerField(default=0)
    deposit_min_vnd = models.BigIntegerField(null=True, blank=True)
    requests_per_day = models.PositiveIntegerField(null=True, blank=True, help_text="For each key.")
    requests_per_month = models.PositiveIntegerField(null=True, blank=True, help_text="For the account.")
    map_loads_per_month = models.PositiveIntegerField(null=True, blank=True, help_text="For the account.")
    rate_limit = models.PositiveIntegerField(help_text="Requests per window, for each key and IP address.")
    rate_window_s = models.PositiveIntegerField(default=1)
    credit_micro_usd = models.BigIntegerField(default=0, help_text="Free credit, in micro-dollars.")
    credit_period = models.CharField(max_length=10, choices=CreditPeriod.choices, default=CreditPeriod.MONTHLY)
    credit_end = models.CharField(
        "when the credit ends",
        max_length=10,
        choices=CreditEnd.choices,
        default=CreditEnd.BALANCE,
        help_text="Where requests are refused, deposits and grants stay untouched.",
    )

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(rate_limit__gte=1, rate_limit__lte=10_000), name="plan_rate_limit_sane"
            ),
            models.CheckConstraint(
                condition=models.Q(rate_window_s__gte=1, rate_window_s__lte=3_600), name="plan_window_sane"
            ),
            models.CheckConstraint(condition=models.Q(credit_micro_usd__gte=0), name="plan_credit_positive"),
            # Credit that is given once is part of the balance.
            models.CheckConstraint(
                condition=~models.Q(credit_period="once", credit_end="stop"), name="plan_stop_only_with_monthly_credit"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """Who pays. Keys, usage and the ledger belong to an account, people are its members."""

    name = models.CharField(max_length=100)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="accounts")
    next_plan = models.ForeignKey(
        Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="What it changes to."
    )
    next_plan_on = models.DateField(
        null=True, blank=True, help_text="The first day of the next plan, in the installation's zone."
    )
    is_active = models.BooleanField(default=True, help_text="The keys of an inactive account are refused.")
    asks_before_showing_keys = models.BooleanField(
        default=False, help_text="Showing a key's text asks for a recent sign-in."
    )
    created_at = models.DateTimeField()
    members = models.ManyToManyField(User, through="Membership", related_name="accounts")

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(next_plan=None, next_plan_on=None)
                | models.Q(next_plan__isnull=False, next_plan_on__isnull=False),
                name="account_next_plan_has_a_day",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_plan_on"], condition=models.Q(next_plan_on__isnull=False), name="account_plan_due"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def plan_on(self, day: date) -> Plan:
        """The plan of that day: the next one from its first day on."""
        is_next = self.next_plan is not None and self.next_plan_on is not None and day >= self.next_plan_on
        return self.next_plan if is_next and self.next_plan is not None else self.plan


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    DEVELOPER = "developer", _("Developer")
    BILLING = "billing", _("Billing")
    VIEWER = "viewer", _("Viewer")


class Membership(models.Model):
    """That a user belongs to an account, and as what."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.OWNER)
    mails_notices = models.BooleanField(default=True, help_text="Notices of the account are mailed to this member.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "user"], name="membership_once_per_account")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.account}"


class TokenScope(models.TextChoices):
    """What a personal token may read."""

    USAGE = "usage", _("Statistics")
    REQUESTS = "requests", _("The request log")
    BILLS = "bills", _("Bills")


class PersonalToken(models.Model):
    """That a program may read some of an account in a member's name. The text is kept as a digest only."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    ending = models.CharField(max_length=4, editable=False, help_text="The last characters, to know it by.")
    scopes = ArrayField(models.CharField(max_length=10, choices=TokenScope.choices))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(scopes__len__gte=1), name="token_reads_something")
        ]

    def __str__(self) -> str:
        return f"{self.name} (…{self.ending})"

    @property
    def scope_labels(self) -> list[str]:
        return [str(TokenScope(scope).label) for scope in self.scopes]


class InvitationState(StrEnum):
    OPEN = "open"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


class Invitation(models.Model):
    """That somebody with this e-mail address may join an account. The link's token is kept as a digest only."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField("e-mail address", help_text="In lower case.")
    role = models.CharField(max_length=10, choices=Role.choices)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "email"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="invitation_open_once_per_address",
            ),
            models.CheckConstraint(condition=~models.Q(role=Role.OWNER), name="invitation_to_no_ownership"),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.account}"

    def state_at(self, now: datetime) -> InvitationState:
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.withdrawn_at is not None:
            return InvitationState.WITHDRAWN
        return InvitationState.OPEN if now < self.expires_at else InvitationState.EXPIRED


class AuditEntry(models.Model):
    """One change that somebody made. Never edited, and deleted only when a year old: a trigger sees to it.

    Persons and objects are named without foreign keys: the entry outlives them. What concerns no account
    (plans, prices, services) is for operators only.
    """

    account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="audit_entries", db_index=False
    )
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254, help_text="An e-mail address or the name of a command.")
    action = models.CharField(max_length=40, help_text="The kind of the object, a dot, what happened to it.")
    object_kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField(null=True)
    object_name = models.CharField(max_length=254, blank=True)
    changes: models.JSONField[Any, dict[str, list[Any]]] = models.JSONField(
        default=dict, help_text="From and to, by the name of what changed."
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="auditentry_newest"),
            models.Index(fields=["account", "object_kind", "object_id", "-id"], name="auditentry_of_object"),
            models.Index(fields=["account", "actor_name", "-id"], name="auditentry_of_actor"),
            models.Index(fields=["at"], name="auditentry_age"),
        ]

    def __str__(self) -> str:
        return f"{self.action_label}: {self.object_name}"

    @property
    def action_label(self) -> str:
        return action_label(self.action)


class Notice(models.Model):
    """Something that members of an account are told of, once: it is one by its kind and source.

    `permission` names whom it is for: the members whose role has it. `mailed_at` is set when all of them that want
    mails have got theirs.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="notices", db_index=False)
    kind = models.CharField(max_length=40)
    source = models.CharField(max_length=200, help_text="What it is about; the same again is no new notice.")
    facts: models.JSONField[Any, dict[str, str | int]] = models.JSONField(default=dict)
    permission = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "kind", "source"], name="notice_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="notice_newest"),
            models.Index(fields=["created_at"], name="notice_age"),
            models.Index(fields=["id"], condition=models.Q(mailed_at=None), name="notice_to_be_mailed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class NoticeRead(models.Model):
    """That a user has read a notice."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="reads", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices_read")
    read_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["notice", "user"], name="noticeread_once")]

    def __str__(self) -> str:
        return f"{self.notice_id} by {self.user_id}"


class NoticeMail(models.Model):
    """That a notice was mailed to a user."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="mails", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notice_mails")
    sent_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["notice", "user"], name="noticemail_once")]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.user_id}"
