"""The filters of the statistics page as it shows them: a box of choices for each, and what is chosen, to take away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from stats.forms import DIMENSION_LABELS, UsageFilters, choices_of, shortened
from stats.queries import Dimension
from stats.usage_views import NONE


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """One value of a filter. `without_url` shows the page without it, where it is chosen."""

    text: str
    label: str
    is_chosen: bool
    without_url: str = ""


@dataclass(frozen=True, slots=True)
class FilterBox:
    """One filter. Values that are not listed are reached by drilling in."""

    name: str
    label: str
    choices: list[FilterChoice]

    @property
    def chosen(self) -> list[FilterChoice]:
        return [choice for choice in self.choices if choice.is_chosen]


def filter_boxes(filters: UsageFilters) -> list[FilterBox]:
    """A box for each dimension that has something to choose, or something chosen."""
    boxes = [_box(filters, dimension) for dimension in Dimension]
    return [box for box in boxes if box.choices]


def _box(filters: UsageFilters, dimension: Dimension) -> FilterBox:
    chosen = filters.wanted[dimension]
    offered = dict(choices_of(dimension, filters.keys, filters.services, chosen))
    labels: dict[str, Any] = {**offered, **{text: _label(dimension, text) for text in chosen if text not in offered}}
    return FilterBox(
        dimension.value,
        str(DIMENSION_LABELS[dimension]),
        [
            FilterChoice(text, str(label), text in chosen, _without(filters, dimension, text) if text in chosen else "")
            for text, label in labels.items()
        ],
    )


def _label(dimension: Dimension, text: str) -> str:
    if text != NONE:
        return shortened(text)
    return {
        Dimension.SERVICE: _("No such service"),
        Dimension.ORIGIN: _("No origin named"),
        Dimension.COUNTRY: _("Unknown"),
    }.get(dimension, text)


def _without(filters: UsageFilters, dimension: Dimension, text: str) -> str:
    view = getattr(filters, "view", None)
    query = "" if view is None else f"?{view.without(dimension, text).url_query}"
    return reverse("stats:statistics") + query
