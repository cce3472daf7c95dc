"""Formatting for the pages: icons, money, numbers, form controls. The one templatetags file.

Money and numbers are written as the reader's language does. Dates have Django's filter, with the formats that
`goongdash/formats/` names for each language: `{{ at|date:"SHORT_DATETIME_FORMAT" }}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from django import forms, template
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.figures import number, numbers, usd, usds
from goongdash.lib.money import round_to_cent

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, size: int = 20) -> SafeString:
    """An icon of the sprite in static/vendor/. Decoration only: the text beside it says what it means."""
    return format_html(
        '<svg class="gd-icon" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"></use></svg>',
        size,
        static("vendor/tabler-icons/sprite.svg"),
        name,
    )


@register.filter
def micro_usd(amount_micro_usd: int) -> str:
    """Integer micro-dollars as dollars, exactly: at least two decimals, up to six. 1_234_500 is $1.2345."""
    return usd(amount_micro_usd)


@register.filter
def micro_usd_cents(amount_micro_usd: int) -> str:
    """An estimate in micro-dollars as dollars, rounded to the cent. What is billed is never rounded."""
    return usd(round_to_cent(amount_micro_usd))


@register.filter
def intdot(value: int) -> str:
    """An integer with its thousands apart: 1234567 is 1,234,567."""
    return number(value)


@register.simple_tag
def number_cells(values: Iterable[int], is_money: bool) -> SafeString:
    """A table cell for each value: a tag for all of a row, as a chart's table has a thousand of them."""
    texts = usds(values) if is_money else numbers(values)
    return SafeString("".join([f'<td class="num">{text}</td>' for text in texts]))  # Digits, and marks of our own.


@register.filter
def control(field: BoundField) -> SafeString:
    """The field's widget in Tabler's clothes. A placeholder that repeats the label is dropped."""
    attrs: dict[str, str | bool] = {"class": control_class(field)}
    if str(field.field.widget.attrs.get("placeholder", "")).startswith(str(field.label)):
        attrs["placeholder"] = False
    return field.as_widget(attrs=attrs)


def control_class(field: BoundField) -> str:
    match field.field.widget:
        case forms.CheckboxInput() | forms.RadioSelect() | forms.CheckboxSelectMultiple():
            name = "form-check-input"
        case forms.Select():
            name = "form-select"
        case _:
            name = "form-control"
    given = field.field.widget.attrs.get("class", "")
    return " ".join(filter(None, [given, name, "is-invalid" if field.errors else ""]))


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)
