"""What the dialog that rotates a key asks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from keys.overlap import Overlap, Quiet

OVERLAP_LABELS = {
    Overlap.NONE: _("Not at all: it is refused at once"),
    Overlap.HOUR: _("1 hour"),
    Overlap.DAY: _("24 hours"),
    Overlap.WEEK: _("7 days"),
}
QUIET_LABELS = {
    Quiet.NEVER: _("No, only when its time is up"),
    Quiet.HOUR: _("When nobody has used it for 1 hour"),
    Quiet.DAY: _("When nobody has used it for 24 hours"),
}


class RotateForm(forms.Form):
    """`arguments` are those of `key_rotate`. The old key is retired early only if that is asked for: a job that
    runs once a day is quiet for long."""

    overlap = forms.ChoiceField(
        label=_("The old key works on for"),
        choices=[(overlap.value, label) for overlap, label in OVERLAP_LABELS.items()],
        initial=Overlap.DAY.value,
        widget=forms.RadioSelect,
    )
    quiet = forms.ChoiceField(
        label=_("Retire it earlier?"),
        choices=[(quiet.value, label) for quiet, label in QUIET_LABELS.items()],
        initial=Quiet.NEVER.value,
    )

    @property
    def arguments(self) -> dict[str, Any]:
        return {"overlap": Overlap(self.cleaned_data["overlap"]), "quiet": Quiet(self.cleaned_data["quiet"])}
