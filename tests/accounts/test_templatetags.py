from __future__ import annotations

import pytest
from django import forms
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from accounts.templatetags.goongdash import (
    control,
    icon,
    intdot,
    is_checkbox,
    micro_usd,
)
from goongdash.vendor import ICONS, VENDOR


class SampleForm(forms.Form):
    name = forms.CharField(widget=forms.TextInput(attrs={"placeholder": "Name"}))
    site = forms.CharField(widget=forms.TextInput(attrs={"placeholder": "example.com", "class": "wide"}))
    kind = forms.ChoiceField(choices=[("rest", "REST")])
    agreed = forms.BooleanField()


@pytest.mark.parametrize(
    ("amount_micro_usd", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (500, "$0.0005"),
        (10_000, "$0.01"),
        (1_200_000, "$1.20"),
        (1_234_500, "$1.2345"),
        (100_000_000, "$100.00"),
        (1_234_567_890_123, "$1,234,567.890123"),
        (-2_500_000, "-$2.50"),
        (-1, "-$0.000001"),
    ],
)
def test_micro_usd_writes_dollars_exactly(amount_micro_usd: int, text: str) -> None:
    assert micro_usd(amount_micro_usd) == text


@given(st.integers())
def test_micro_usd_loses_nothing(amount_micro_usd: int) -> None:
    sign, _, digits = micro_usd(amount_micro_usd).partition("$")
    whole, _, decimals = digits.replace(",", "").partition(".")
    assert int(f"{sign}{whole}{decimals.ljust(6, '0')}") == amount_micro_usd
    assert 2 <= len(decimals) <= 6


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_000, "-1,000")],
)
def test_intdot_sets_thousands_apart(number: int, text: str) -> None:
    assert intdot(number) == text


def test_icon_points_into_the_sprite() -> None:
    svg = Template('{% load goongdash %}{% icon "key" 16 %}').render(Context())
    assert 'width="16" height="16" aria-hidden="true"' in svg
    assert "vendor/tabler-icons/sprite" in svg
    assert "svg#key" in svg


def test_every_icon_is_in_the_sprite() -> None:
    sprite = (VENDOR / "tabler-icons" / "sprite.svg").read_text()
    assert [name for name in ICONS if f'id="{name}"' not in sprite] == []


def test_icon_escapes_its_name() -> None:
    assert "<script" not in icon('"><script>')


def test_control_wears_the_class_of_its_widget() -> None:
    form = SampleForm()
    assert 'class="form-control"' in control(form["name"])
    assert 'class="wide form-control"' in control(form["site"])
    assert 'class="form-select"' in control(form["kind"])
    assert 'class="form-check-input"' in control(form["agreed"])


def test_control_drops_a_placeholder_that_repeats_the_label() -> None:
    form = SampleForm()
    assert "placeholder" not in control(form["name"])
    assert 'placeholder="example.com"' in control(form["site"])


def test_control_marks_a_field_in_error() -> None:
    form = SampleForm({"kind": "rest"})
    assert 'class="form-control is-invalid"' in control(form["name"])
    assert 'class="form-select"' in control(form["kind"])


def test_checkboxes_are_told_from_other_fields() -> None:
    form = SampleForm()
    assert is_checkbox(form["agreed"])
    assert not is_checkbox(form["name"])
