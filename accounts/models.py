"""Who uses the site and who pays: users, plans, accounts and their members."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Upper

from accounts.managers import UserManager


class User(AbstractUser):
    """A person, known by e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        # In capitals, as `email__iexact` compares: its index answers the look-up of every sign-in.
        constraints: ClassVar = [models.UniqueConstraint(Upper("email"), name="user_email_once_in_any_case")]

    def __str__(self) -> str:
        return self.email


class CreditPeriod(models.TextChoices):
    MONTHLY = "monthly", "each month"
    ONCE = "once", "once, at sign-up"


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
        ]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """Who pays. Keys, usage and the ledger belong to an account, people are its members."""

    name = models.CharField(max_length=100)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="accounts")
    is_active = models.BooleanField(default=True, help_text="The keys of an inactive account are refused.")
    created_at = models.DateTimeField()
    members = models.ManyToManyField(User, through="Membership", related_name="accounts")

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    DEVELOPER = "developer", "Developer"
    BILLING = "billing", "Billing"
    VIEWER = "viewer", "Viewer"


class Membership(models.Model):
    """That a user belongs to an account, and as what."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.OWNER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "user"], name="membership_once_per_account")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.account}"
