"""What a bill says, closed or still a draft: the one layout that page, print, PDF and CSV share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.figures import number
from accounts.models import Account
from billing.lines import Line, LineKind
from billing.models import Statement
from billing.month_bills import draft_bill
from billing.selectors import statements_of
from goongdash.lib.money import format_usd
from goongdash.lib.periods import Month, day_of
from keys.models import Service


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A line with its words, and where the usage behind it is seen."""

    line: Line
    label: str
    version: str
    note: str
    statistics_url: str
    requests_url: str

    @property
    def free_units(self) -> int:
        return self.line.units if self.line.unit_price_micro_usd == 0 else 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A month's bill. A draft has no number and changes with what is used."""

    account: Account
    month: Month
    number: str
    closed_at: datetime | None
    lines: tuple[SheetLine, ...]
    gross_micro_usd: int
    credit_micro_usd: int
    net_micro_usd: int
    is_running: bool = False

    @property
    def is_draft(self) -> bool:
        return self.closed_at is None

    @property
    def file_name(self) -> str:
        """Without its ending."""
        return f"statement-{self.number or f'{self.month}-draft'}"


def sheet_of(account: Account, month: Month, now: datetime) -> Sheet | None:
    """The account's statement of `month`, or its draft; None for months before the account, and those to come."""
    statement = statements_of(account).filter(period_on=month.first_day).prefetch_related("lines__service").first()
    if statement is not None:
        return _closed(account, month, statement)
    running = Month.of(day_of(now, settings.BILLING_ZONE))
    if not Month.of(day_of(account.created_at, settings.BILLING_ZONE)) <= month <= running:
        return None
    return _draft(account, month, is_running=month == running)


def _closed(account: Account, month: Month, statement: Statement) -> Sheet:
    rows = list(statement.lines.all())
    lines = [
        Line(
            LineKind(row.kind),
            row.service_id,
            row.first_on,
            row.last_on,
            row.from_units,
            row.unit_price_micro_usd,
            row.units,
            row.amount_micro_usd,
            row.credit_micro_usd,
        )
        for row in rows
    ]
    services = {row.service_id: row.service for row in rows if row.service is not None}
    return Sheet(
        account=account,
        month=month,
        number=statement.number,
        closed_at=statement.closed_at,
        lines=_sheet_lines(lines, month, services),
        gross_micro_usd=statement.gross_micro_usd,
        credit_micro_usd=statement.credit_micro_usd,
        net_micro_usd=statement.net_micro_usd,
    )


def _draft(account: Account, month: Month, *, is_running: bool) -> Sheet:
    bill = draft_bill(account, month)
    services = Service.objects.in_bulk([line.service_id for line in bill.lines if line.service_id is not None])
    return Sheet(
        account=account,
        month=month,
        number="",
        closed_at=None,
        lines=_sheet_lines(bill.lines, month, services),
        gross_micro_usd=bill.money.charged_micro_usd,
        credit_micro_usd=bill.money.credit_used_micro_usd,
        net_micro_usd=bill.money.paid_micro_usd,
        is_running=is_running,
    )


def _sheet_lines(lines: Sequence[Line], month: Month, services: dict[int | None, Service]) -> tuple[SheetLine, ...]:
    return tuple(_sheet_line(line, month, services.get(line.service_id)) for line in lines)


def _sheet_line(line: Line, month: Month, service: Service | None) -> SheetLine:
    of_service = {} if service is None else {"service": service.slug}
    days = {"from": line.first_on.isoformat(), "to": line.last_on.isoformat()}
    moments = {"from": f"{line.first_on}T00:00", "to": f"{line.last_on}T23:59"}
    return SheetLine(
        line=line,
        label=_label(line, service),
        version=service.api_version if service is not None and line.kind is LineKind.USAGE else "",
        note=_note(line, month),
        statistics_url=f"{reverse('stats:statistics')}?{urlencode({**days, 'measure': 'cost', **of_service})}",
        requests_url=f"{reverse('requests:log')}?{urlencode({**moments, **of_service})}",
    )


def _label(line: Line, service: Service | None) -> str:
    match line.kind:
        case LineKind.USAGE:
            return service.name_said if service is not None else _("No such service")
        case LineKind.DIFFERENCE if service is not None:
            return _("%(service)s: difference to the price list") % {"service": service.title}
        case LineKind.DIFFERENCE:
            return _("Difference to the price list")
        case LineKind.LATE:
            return _("Late usage of %(month)s") % {"month": date_format(line.first_on, "YEAR_MONTH_FORMAT")}
        case _:
            assert_never(line.kind)


def _note(line: Line, month: Month) -> str:
    """The tier, and the days where they are not the whole month; why there is a line that no price explains."""
    match line.kind:
        case LineKind.LATE:
            return _("It arrived after that month was closed.")
        case LineKind.DIFFERENCE:
            return _("What the requests were charged when they were made, beyond what the price list says.")
        case LineKind.USAGE:
            parts = []
            if line.from_units:
                parts.append(_("from unit %(number)s on") % {"number": number(line.from_units + 1)})
            if (line.first_on, line.last_on) != (month.first_day, month.last_day):
                parts.append(f"{_day(line.first_on)} – {_day(line.last_on)}")
            return ", ".join(parts)
        case _:
            assert_never(line.kind)


def _day(day: date) -> str:
    return date_format(day, "SHORT_MONTH_DAY_FORMAT")


def price_text(line: Line) -> str:
    return "–" if line.unit_price_micro_usd is None else format_usd(line.unit_price_micro_usd)
