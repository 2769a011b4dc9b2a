"""Forms of the pages of settings."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final, NamedTuple

from django import forms
from django.conf import settings

from governance.configuration.models import LONGEST_TARGET_HOURS
from governance.configuration.queries import ReasonSetting
from governance.detection.scoring import Band
from governance.restrictions.reasons import DISMISSING, RESTRICTING, Reason
from governance.review.forms import AddressForm, FocusedForm
from governance.web.fields import FlagField

# The most urgent first: none of them may be due later than the next.
BANDS: Final = (Band.CRITICAL, Band.HIGH, Band.ELEVATED, Band.LOW)
HOUR: Final = timedelta(hours=1)


class DueTargetsForm(FocusedForm):
    """Within how many hours cases of each band are due."""

    def __init__(self, data: Any = None, *, targets: Mapping[Band, timedelta]) -> None:
        super().__init__(data, initial={band.value: targets[band] // HOUR for band in BANDS})
        # One field for each band.
        for band in BANDS:
            self.fields[band.value] = forms.IntegerField(min_value=1, max_value=LONGEST_TARGET_HOURS)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        for band, milder in pairwise(BANDS):
            hours, others = given.get(band.value), given.get(milder.value)
            if hours and others and hours > others:
                self.add_error(band.value, f"Not later than {milder.value} cases, which are due within {others} h.")
        return given


class ReasonRow(NamedTuple):
    """A reason with its fields; one that dismisses has no clause."""

    reason: Reason
    offer: forms.BoundField
    clause: forms.BoundField | None


class ReasonSettingsForm(FocusedForm):
    """Which reasons are offered, and the terms clause that follows from each that restricts."""

    def __init__(self, data: Any = None, *, stored: Mapping[str, ReasonSetting]) -> None:
        super().__init__(data)
        clauses = [("", "None"), *((clause, clause) for clause in settings.TERMS_CLAUSES)]
        for reason in Reason:
            setting = stored.get(reason, ReasonSetting())
            self.fields[f"offer-{reason}"] = FlagField()
            self.fields[f"offer-{reason}"].initial = setting.is_offered
            if reason in RESTRICTING:
                field = forms.ChoiceField(choices=_with(clauses, setting.terms_clause), required=False)
                field.initial = setting.terms_clause
                self.fields[f"clause-{reason}"] = field

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        for reasons, purpose in ((RESTRICTING, "restricting somebody"), (DISMISSING, "dismissing a case")):
            if not any(given.get(f"offer-{reason}") for reason in reasons):
                self.add_error(f"offer-{reasons[0]}", f"Offer at least one reason for {purpose}.")
        return given

    @property
    def rows(self) -> list["ReasonRow"]:
        """The fields of each reason, those for restricting first."""
        return [
            ReasonRow(one, self[f"offer-{one}"], self[f"clause-{one}"] if one in RESTRICTING else None)
            for one in (*RESTRICTING, *DISMISSING)
        ]

    def reasons(self) -> dict[str, ReasonSetting]:
        """Of a valid form."""
        given = self.cleaned_data
        return {one.value: ReasonSetting(given[f"offer-{one}"], given.get(f"clause-{one}", "")) for one in Reason}


def _with(clauses: list[tuple[str, str]], stored: str) -> list[tuple[str, str]]:
    """Return the clauses, and the stored one where TERMS_CLAUSES has lost it: opening the page changes nothing."""
    if stored in dict(clauses):
        return clauses
    return [*clauses, (stored, f"{stored} (no longer in TERMS_CLAUSES)")]


class SettingHistoryForm(AddressForm):
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
