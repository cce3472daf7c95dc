"""The filters of the statistics page as they stand in its URL. They combine, and none of them is needed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from goongdash.lib.periods import PeriodError
from keys.models import ApiKey, KeyType, Service
from keys.selectors import newest_of_lineages
from stats.events import ORIGIN_MAX_LENGTH
from stats.outcomes import OUTCOMES, Outcome
from stats.periods import Grain
from stats.queries import Dimension, Measure
from stats.spans import Span, SpanName, custom_span, named_span
from stats.usage_views import (
    DEFAULT_BY,
    DEFAULT_KIND,
    DEFAULT_MEASURE,
    DEFAULT_SPAN,
    NONE,
    ChartKind,
    UsageView,
    filters_of,
)

ALL_KEYS = "all"
MAX_VALUES = 20
_SHOWN_LENGTH = 40

SPAN_LABELS = {
    SpanName.HOUR: gettext_lazy("Last hour"),
    SpanName.DAY: gettext_lazy("24 hours"),
    SpanName.TODAY: gettext_lazy("Today"),
    SpanName.YESTERDAY: gettext_lazy("Yesterday"),
    SpanName.WEEK: gettext_lazy("7 days"),
    SpanName.THIRTY_DAYS: gettext_lazy("30 days"),
    SpanName.NINETY_DAYS: gettext_lazy("90 days"),
    SpanName.THIS_MONTH: gettext_lazy("This month"),
    SpanName.LAST_MONTH: gettext_lazy("Last month"),
    SpanName.CUSTOM: gettext_lazy("From – to"),
}
GRAIN_LABELS = {
    Grain.MINUTE: gettext_lazy("by minute"),
    Grain.HOUR: gettext_lazy("by hour"),
    Grain.DAY: gettext_lazy("by day"),
    Grain.MONTH: gettext_lazy("by month"),
}
DIMENSION_LABELS = {
    Dimension.SERVICE: gettext_lazy("Service"),
    Dimension.KEY: gettext_lazy("Key"),
    Dimension.TYPE: gettext_lazy("Key type"),
    Dimension.OUTCOME: gettext_lazy("Outcome"),
    Dimension.ORIGIN: gettext_lazy("Origin"),
    Dimension.COUNTRY: gettext_lazy("Country"),
}
MEASURE_LABELS = {
    Measure.REQUESTS: gettext_lazy("Requests"),
    Measure.UNITS: gettext_lazy("Billed units"),
    Measure.COST: gettext_lazy("Cost"),
    Measure.REFUSALS: gettext_lazy("Refusals"),
}
KIND_LABELS = {ChartKind.BARS: gettext_lazy("Bars"), ChartKind.LINES: gettext_lazy("Lines")}


class DayField(forms.DateField):
    """A day as browsers write it. Its error quotes what was sent, which a date control cannot show."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(widget=widget, input_formats=["%Y-%m-%d"], **options)

    def to_python(self, value: Any) -> date | None:
        try:
            return super().to_python(value)
        except ValidationError:
            text = shortened(value)
            raise ValidationError(_("“%(text)s” is not a day. Write it as 2026-11-23.") % {"text": text}) from None


class UsageFilters(forms.Form):
    """Filters with defaults: seven days, by service. Valid, it has the `view` that it stands for.

    A key that is not one of `keys` raises Http404: whether it exists elsewhere is nobody's business.
    """

    period = forms.ChoiceField(choices=list(SPAN_LABELS.items()), widget=forms.RadioSelect)
    grain = forms.ChoiceField(required=False, choices=[("", ""), *GRAIN_LABELS.items()])
    by = forms.ChoiceField(label=gettext_lazy("Told apart by"), choices=list(DIMENSION_LABELS.items()))
    measure = forms.ChoiceField(choices=list(MEASURE_LABELS.items()), widget=forms.RadioSelect)
    chart = forms.ChoiceField(choices=list(KIND_LABELS.items()), widget=forms.RadioSelect)

    view: UsageView

    def __init__(
        self,
        query: QueryDict,
        *,
        keys: Sequence[ApiKey],
        services: Sequence[Service],
        now: datetime,
        kin: frozenset[int] = frozenset(),
    ) -> None:
        given = {name: query[name] for name in _NAMES if query.get(name)}
        default = SpanName.CUSTOM if given.keys() & {"from", "to"} else DEFAULT_SPAN
        data: dict[str, Any] = {"period": default.value, **_USUAL, **given}
        if data["period"] == SpanName.CUSTOM and not given.keys() & {"from", "to"}:
            days = named_span(SpanName.CUSTOM, now=now, zone=settings.BILLING_ZONE).days
            data |= {"from": days.first.isoformat(), "to": days.last.isoformat()}
        # The old name of all keys, which bookmarks may hold.
        wanted = {d: [text for text in query.getlist(d) if text and text != ALL_KEYS] for d in Dimension}
        super().__init__(data)
        self.keys, self.services, self.now, self.wanted, self.kin = keys, services, now, wanted, kin
        for name, message in _UNKNOWN.items():
            self.fields[name].error_messages["invalid_choice"] = message
        if self.is_custom:
            self.fields["from"] = DayField(label=_("From"), error_messages={"required": _("Name the first day.")})
            self.fields["to"] = DayField(label=_("To"), error_messages={"required": _("Name the last day.")})

    @property
    def wanted_any(self) -> bool:
        """Whether anything is filtered out."""
        return any(self.wanted.values())

    @property
    def by_label(self) -> str:
        """What usage is told apart by, in words."""
        return str(DIMENSION_LABELS[self.view.by])

    @property
    def is_custom(self) -> bool:
        return bool(self.data["period"] == SpanName.CUSTOM)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """The parameters at fault, and what is wrong with each."""
        return [
            (str(error.code) if name == NON_FIELD_ERRORS else name, message)
            for name, errors in self.errors.as_data().items()
            for error in errors
            for message in error.messages
        ]

    def clean(self) -> None:
        filters = filters_of((dimension, self._filter(dimension)) for dimension in Dimension)
        span = self._span()
        if span is None or self.errors:
            return
        fields = self.cleaned_data
        self.view = UsageView(
            name=SpanName(fields["period"]),
            span=span,
            grain=Grain(fields["grain"]) if fields["grain"] else None,
            by=Dimension(fields["by"]),
            measure=Measure(fields["measure"]),
            kind=ChartKind(fields["chart"]),
            filters=filters,
            kin=self.kin,
        )

    def _span(self) -> Span | None:
        if self.errors:
            return None
        if not self.is_custom:
            name = SpanName(self.cleaned_data["period"])
            return named_span(name, now=self.now, zone=settings.BILLING_ZONE)
        first, last = self.cleaned_data["from"], self.cleaned_data["to"]
        try:
            return custom_span(first, last, now=self.now, zone=settings.BILLING_ZONE)
        except PeriodError as error:
            self.add_error("from", str(error))
            return None

    def _filter(self, dimension: Dimension) -> list[str]:
        """The texts of one filter, each of them known; an error of the form where one is not."""
        texts = self.wanted[dimension]
        if len(texts) > MAX_VALUES:
            self._refuse(dimension, _("No more than %(n)d values in one filter, please.") % {"n": MAX_VALUES})
            return []
        for text in texts:
            if dimension is Dimension.KEY:
                self._check_key(text)
            elif not self._is_known(dimension, text):
                label, shown = DIMENSION_LABELS[dimension], shortened(text)
                self._refuse(dimension, _("%(label)s: there is no “%(text)s”.") % {"label": label, "text": shown})
        return [text for text in texts if dimension is not Dimension.KEY or text.isdecimal()]

    def _refuse(self, dimension: Dimension, message: str) -> None:
        # An error of the whole form, as filters are no fields of it; its code says which filter it is.
        self.add_error(None, ValidationError(message, code=dimension.value))

    def _check_key(self, text: str) -> None:
        if not (text.isascii() and text.isdecimal()):
            self._refuse(Dimension.KEY, _("“%(text)s” is none of your keys.") % {"text": shortened(text)})
        elif not any(str(key.pk) == text for key in self.keys):
            raise Http404("You have no such key.")

    def _is_known(self, dimension: Dimension, text: str) -> bool:
        match dimension:
            case Dimension.TYPE:
                return text in KeyType.values
            case Dimension.SERVICE:
                return text == NONE or any(service.slug == text for service in self.services)
            case Dimension.OUTCOME:
                return text in set(Outcome)
            case Dimension.COUNTRY:
                return text == NONE or (len(text) == 2 and text.isascii() and text.isupper())
            case _:
                return len(text) <= ORIGIN_MAX_LENGTH and "\x00" not in text


_NAMES = ("period", "grain", "by", "measure", "chart", "from", "to")
_USUAL = {"by": DEFAULT_BY.value, "measure": DEFAULT_MEASURE.value, "chart": DEFAULT_KIND.value}
_DELETED = gettext_lazy("%(key)s – deleted")
_UNKNOWN = {
    "period": gettext_lazy("There is no such period. Choose one of these."),
    "grain": gettext_lazy("There is no such grain."),
    "by": gettext_lazy("Usage is not told apart by that."),
    "measure": gettext_lazy("That is not measured."),
    "chart": gettext_lazy("There is no such chart."),
}


def choices_of(
    dimension: Dimension, keys: Sequence[ApiKey], services: Iterable[Service], chosen: Collection[str]
) -> list[tuple[str, Any]]:
    """What a filter offers, as values and labels; nothing where values are drilled into only.

    Of keys that took each other's place, one stands for all; what is `chosen` already stays.
    """
    match dimension:
        case Dimension.KEY:
            offered = {*map(str, (key.pk for key in newest_of_lineages(keys).values())), *chosen}
            return [(str(key.pk), key_label(key, str(key))) for key in keys if str(key.pk) in offered]
        case Dimension.TYPE:
            return list(KeyType.choices)
        case Dimension.SERVICE:
            return [(service.slug, service.title) for service in services]
        case Dimension.OUTCOME:
            return [(outcome.value, facts.label) for outcome, facts in OUTCOMES.items()]
        case _:
            return []


def key_choices(keys: Sequence[ApiKey]) -> list[tuple[str, Any]]:
    """All keys, then each; those that are deleted last and marked, since their history stays."""
    kept = [(str(key.pk), str(key)) for key in keys if key.revoked_at is None]
    deleted = [(str(key.pk), _DELETED % {"key": key}) for key in keys if key.revoked_at is not None]
    groups = [(_("Keys"), kept), (_("Deleted keys"), deleted)]
    return [(ALL_KEYS, _("All keys")), *((name, choices) for name, choices in groups if choices)]


def key_label(key: ApiKey, name: str) -> str:
    """How statistics call a key by its `name`: for them it is one with those that it took the place of."""
    if key.lineage_id is not None:
        name = _("%(key)s – with its rotations") % {"key": name}
    return name if key.revoked_at is None else _DELETED % {"key": name}


def shortened(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
