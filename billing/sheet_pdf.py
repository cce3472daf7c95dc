"""A bill as a PDF file, of the same layout as the page. Its only numbers of its own are lengths."""

from __future__ import annotations

import io
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from billing.sheets import Sheet, SheetLine, price_text
from goongdash.lib.money import format_usd

_FONTS = settings.BASE_DIR / "static" / "vendor" / "inter-print"
# What ReportLab leaves free within its margins, in points.
_FRAME_PADDING = 6
_REGULAR, _BOLD = "Inter", "Inter-SemiBold"
_QUIET, _RULE = colors.HexColor("#5f6b7a"), colors.HexColor("#d5dae1")


def sheet_pdf(sheet: Sheet) -> bytes:
    """A4 pages in the reader's language. The same bill always makes the same bytes."""
    _load_fonts()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=18 * mm - _FRAME_PADDING,
        rightMargin=18 * mm - _FRAME_PADDING,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        title=_title(sheet),
        author="Goongdash",
        invariant=1,
    )
    foot = partial(_foot, sheet)
    document.build(_story(sheet), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


@cache
def _load_fonts() -> None:
    pdfmetrics.registerFont(TTFont(_REGULAR, str(_FONTS / "regular.ttf")))
    pdfmetrics.registerFont(TTFont(_BOLD, str(_FONTS / "semibold.ttf")))


def _title(sheet: Sheet) -> str:
    month = date_format(sheet.month.first_day, "YEAR_MONTH_FORMAT")
    if sheet.is_draft:
        return _("Draft of the statement of %(month)s") % {"month": month}
    return _("Statement of %(month)s") % {"month": month}


def _story(sheet: Sheet) -> list[Flowable]:
    return [
        Paragraph(escape(_title(sheet)), ParagraphStyle("title", fontName=_BOLD, fontSize=17, leading=24)),
        Spacer(1, 4 * mm),
        *(Paragraph(text, _small(9.5, 14)) for text in _facts(sheet)),
        Spacer(1, 6 * mm),
        _table(sheet),
        Spacer(1, 5 * mm),
        Paragraph(escape(_closing_words(sheet)), _small(8.5, 12, _QUIET)),
    ]


def _facts(sheet: Sheet) -> list[str]:
    first, last = (date_format(day, "DATE_FORMAT") for day in (sheet.month.first_day, sheet.month.last_day))
    period = _("%(first)s – %(last)s, in %(zone)s") % {
        "first": first,
        "last": last,
        "zone": settings.BILLING_TIME_ZONE,
    }
    facts = [(_("Account"), sheet.account.name), (_("Period"), period)]
    if sheet.number:
        facts.insert(0, (_("Number"), sheet.number))
    return [f'{escape(name)}: <font name="{_BOLD}">{escape(value)}</font>' for name, value in facts]


def _closing_words(sheet: Sheet) -> str:
    if sheet.is_draft:
        return _("A draft: the month is not closed, and these numbers still change.")
    return _("A statement is never changed. Usage that arrives later is charged in the month that is open then.")


def _table(sheet: Sheet) -> Table:
    head = [_("Service"), _("Units"), _("Free"), _("Unit price"), _("Gross"), _("Credit"), _("Net")]
    right = _small(8, 10.5, right=True)
    rows: list[list[Any]] = [
        [Paragraph(escape(text), _small(8, 10.5, _QUIET, right=bool(n))) for n, text in enumerate(head)]
    ]
    rows += [[_name(each), *(Paragraph(escape(text), right) for text in _numbers(each))] for each in sheet.lines]
    if not sheet.lines:
        rows.append([Paragraph(escape(_("Nothing was used in this month.")), _small(8, 10.5, _QUIET)), *[""] * 6])
    sums = (sheet.gross_micro_usd, sheet.credit_micro_usd, sheet.net_micro_usd)
    bold = _small(8.5, 11, right=True, font=_BOLD)
    rows.append(
        [
            Paragraph(escape(_("Together")), _small(8.5, 11, font=_BOLD)),
            *[""] * 3,
            *(Paragraph(format_usd(amount), bold) for amount in sums),
        ]
    )
    table = Table(rows, colWidths=[54 * mm, 18 * mm, 18 * mm, 18 * mm, 22 * mm, 22 * mm, 22 * mm], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -2), 0.4, _RULE),
                ("LINEABOVE", (0, -1), (-1, -1), 1, colors.black),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ]
        )
    )
    return table


def _name(each: SheetLine) -> Paragraph:
    text: str = escape(f"{each.label} {each.version}".strip())
    if each.note:
        text += f'<br/><font color="#5f6b7a" size="7">{escape(each.note)}</font>'
    return Paragraph(text, _small(8, 10.5))


def _numbers(each: SheetLine) -> list[str]:
    line = each.line
    return [
        f"{line.units:,}",
        f"{each.free_units:,}",
        price_text(line),
        *(format_usd(amount) for amount in (line.amount_micro_usd, line.credit_micro_usd, line.net_micro_usd)),
    ]


def _small(
    size: float, leading: float, color: colors.Color = colors.black, *, right: bool = False, font: str = _REGULAR
) -> ParagraphStyle:
    return ParagraphStyle(
        "small", fontName=font, fontSize=size, leading=leading, textColor=color, alignment=2 if right else 0
    )


def _foot(sheet: Sheet, canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont(_REGULAR, 7.5)
    canvas.setFillColor(_QUIET)
    canvas.drawString(18 * mm, 10 * mm, sheet.number or _title(sheet))
    canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, str(document.page))
