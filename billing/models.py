"""What services cost, what accounts owe, and what was said of it: prices, ledger, statements."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Plan
from billing.lines import LineKind
from billing.notes import note_said
from keys.limits import MAX_ELEMENTS
from keys.models import Service, Unit

# What the gate's script counts exactly, and what a usage record has room for as the cost of one request.
MAX_FROM_UNITS = 10**12
MAX_PRICE_MICRO_USD = 2 * 10**9
LINE_KINDS = [
    (LineKind.USAGE.value, _("Usage")),
    (LineKind.DIFFERENCE.value, _("Difference to the price list")),
    (LineKind.LATE.value, _("Late usage")),
]


def _check_request_fits(service: Service, price_micro_usd: int | None) -> None:
    """Raises ValidationError where the largest request to the service would cost more than its record can hold."""
    most = MAX_PRICE_MICRO_USD // (MAX_ELEMENTS if service.unit == Unit.ELEMENT else 1)
    if price_micro_usd is not None and price_micro_usd > most:
        unit = service.get_unit_display()
        raise ValidationError({"price_micro_usd": f"At most {most:,} micro-dollars for one {unit}."})


class Price(models.Model):
    """What one unit of a service costs from a day on: the first of a month, and all of them where it has no tiers.

    0 and a tier from 1000 units are a thousand free units a month.
    """

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="prices")
    price_micro_usd = models.BigIntegerField(help_text="For one unit, in micro-dollars.")
    effective_on = models.DateField(help_text="The first day of this price, in the installation's zone.")
    is_sample = models.BooleanField(default=True, help_text="A made-up price that nobody has confirmed.")

    class Meta:
        ordering: ClassVar = ["service__position", "-effective_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "effective_on"], name="price_once_per_day"),
            models.CheckConstraint(condition=models.Q(price_micro_usd__gte=0), name="price_not_negative"),
            models.CheckConstraint(condition=models.Q(price_micro_usd__lte=MAX_PRICE_MICRO_USD), name="price_bounded"),
        ]

    def __str__(self) -> str:
        return f"{self.service}: {self.price_micro_usd} µUSD from {self.effective_on}"

    def clean(self) -> None:
        if self.service_id is not None:
            _check_request_fits(self.service, self.price_micro_usd)


class PriceTier(models.Model):
    """From a volume on, a price is another one: the account's units of the service are counted through the month."""

    price = models.ForeignKey(Price, on_delete=models.CASCADE, related_name="tiers")
    from_units = models.PositiveBigIntegerField(
        help_text="How many units of a month come before this tier: 1000 holds from the 1001st on."
    )
    price_micro_usd = models.BigIntegerField(help_text="For one unit, in micro-dollars.")

    class Meta:
        ordering: ClassVar = ["from_units"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["price", "from_units"], name="pricetier_once_per_volume"),
            models.CheckConstraint(
                condition=models.Q(from_units__gte=1, from_units__lte=MAX_FROM_UNITS), name="pricetier_after_the_first"
            ),
            models.CheckConstraint(
                condition=models.Q(price_micro_usd__gte=0, price_micro_usd__lte=MAX_PRICE_MICRO_USD),
                name="pricetier_bounded",
            ),
        ]

    def __str__(self) -> str:
        return f"from {self.from_units}: {self.price_micro_usd} µUSD"

    def clean(self) -> None:
        if self.price.service_id is not None:
            _check_request_fits(self.price.service, self.price_micro_usd)


class Budget(models.Model):
    """What an account may spend in a month by its own will, less than its credit and balance: every month anew."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="budget")
    amount_micro_usd = models.BigIntegerField(help_text="For a month of the installation's zone, in micro-dollars.")
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    set_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount_micro_usd__gte=0), name="budget_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.amount_micro_usd} µUSD a month"


class AlertThresholds(models.Model):
    """At which parts of its credit and budgets an account is told. Without a row: at the usual ones."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="alert_thresholds")
    percents = ArrayField(models.PositiveSmallIntegerField(), help_text="Ascending; empty: nothing is told.")

    class Meta:
        verbose_name_plural = "alert thresholds"

    def __str__(self) -> str:
        return f"{self.account}: {', '.join(f'{percent}%' for percent in self.percents)}"


class AlertCursor(models.Model):
    """How many of a shard's rolled up records have been looked at for alerts."""

    shard = models.PositiveSmallIntegerField(primary_key=True)
    n_watched = models.BigIntegerField()

    def __str__(self) -> str:
        return f"shard {self.shard}"


class EntryKind(models.TextChoices):
    MONTHLY_CREDIT = "monthly_credit", _("Monthly credit")
    EXPIRED_CREDIT = "expired_credit", _("Unused credit expired")
    GRANT = "grant", _("Credit granted")
    DEPOSIT = "deposit", _("Deposit")
    USAGE = "usage", _("Usage")
    LATE_USAGE = "late_usage", _("Late usage of a closed month")
    ADJUSTMENT = "adjustment", _("Adjustment")
    REFUND = "refund", _("Refund")


# A payment or a grant that is told again, in whatever month, is still the same one.
MOVES = (EntryKind.DEPOSIT, EntryKind.REFUND, EntryKind.ADJUSTMENT, EntryKind.GRANT)


class LedgerEntry(models.Model):
    """Money gained (+) or used (-) by an account. Never changed, never deleted: a trigger sees to it.

    `period_on` is the first day of the month it belongs to; `source` tells entries of one kind apart (the day
    of a usage entry, the operator's reference of a deposit), so that writing it twice writes it once.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="ledger_entries")
    period_on = models.DateField()
    kind = models.CharField(max_length=20, choices=EntryKind.choices)
    source = models.CharField(max_length=100, blank=True)
    usage_on = models.DateField(null=True, blank=True, help_text="The day whose usage this charges.")
    amount_micro_usd = models.BigIntegerField()
    note = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=254, blank=True, help_text="Who wrote it; empty for the system.")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-period_on", "-id"]
        verbose_name_plural = "ledger entries"
        indexes: ClassVar = [models.Index(fields=["account", "usage_on"], name="ledgerentry_usage_day")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "period_on", "kind", "source"], name="ledgerentry_once_per_source"
            ),
            models.UniqueConstraint(
                fields=["account", "kind", "source"],
                condition=models.Q(kind__in=MOVES),
                name="ledgerentry_move_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.period_on:%Y-%m}"

    @property
    def kind_said(self) -> str:
        """As `get_kind_display`, which hashes every choice anew: a page has fifty entries."""
        return str(EntryKind(self.kind).label)

    @property
    def note_said(self) -> str:
        """The note; one that the site wrote itself, in the language of whoever reads."""
        return note_said(self.note)


class RequestState(models.TextChoices):
    OPEN = "open", _("Open")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class PlanRequest(models.Model):
    """That a customer asks for a plan, and what became of it. An operator decides when the deposit is there."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="plan_requests")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(max_length=1_000, blank=True, help_text="What the customer says.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=200, blank=True, help_text="What the customer is told.")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(state="open"), name="planrequest_one_open_per_account"
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", decided_at=None)
                | ~models.Q(state="open") & ~models.Q(decided_at=None),
                name="planrequest_decided_when_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.plan}"


class Statement(models.Model):
    """A closed month's bill. What it says is never edited; late usage goes into the open month.

    Its lines add up to it: the month's own usage, and late usage of months closed before.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="statements")
    period_on = models.DateField()
    number = models.CharField(max_length=40, unique=True)
    gross_micro_usd = models.BigIntegerField()
    credit_micro_usd = models.BigIntegerField(help_text="The part that free credit paid.")
    net_micro_usd = models.BigIntegerField()
    closed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-period_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "period_on"], name="statement_once_per_month"),
            models.CheckConstraint(
                condition=models.Q(net_micro_usd=models.F("gross_micro_usd") - models.F("credit_micro_usd")),
                name="statement_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class StatementLine(models.Model):
    """Units of one service that one tier of one price holds for; or what no price explains; or late usage.

    `first_on` to `last_on` are the days of its usage. Its credit is the part that free credit paid.
    """

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    kind = models.CharField(max_length=10, choices=LINE_KINDS, default=LineKind.USAGE)
    position = models.PositiveSmallIntegerField()
    service = models.ForeignKey(Service, null=True, on_delete=models.PROTECT, related_name="+")
    first_on = models.DateField()
    last_on = models.DateField()
    from_units = models.BigIntegerField(default=0)
    unit_price_micro_usd = models.BigIntegerField(
        null=True, help_text="Empty where there is none, and in statements of before lines had prices."
    )
    units = models.BigIntegerField()
    amount_micro_usd = models.BigIntegerField()
    credit_micro_usd = models.BigIntegerField()
    net_micro_usd = models.GeneratedField(
        expression=models.F("amount_micro_usd") - models.F("credit_micro_usd"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["statement", "position"], name="statementline_once_per_position"),
            models.CheckConstraint(
                condition=models.Q(first_on__lte=models.F("last_on")), name="statementline_has_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.service}: {self.amount_micro_usd} µUSD"


class Check(models.Model):
    """That statistics, ledger and statements were compared, and what was found. Kept for a while."""

    at = models.DateTimeField(db_index=True)
    records_from_on = models.DateField(null=True, help_text="Raw records were read from this day on; empty: all.")
    holds = models.BooleanField()
    first_difference = models.TextField(blank=True)
    n_differences = models.PositiveIntegerField(default=0)
    account_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Whose sums differ, some of them.")
    totals: models.JSONField[Any, dict[str, int]] = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {'holds' if self.holds else self.first_difference}"
