"""Read what staff have set."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.configuration.models import DueTarget, ReasonOverride

# What the history of settings lists: values, people and service keys.
SETTING_VERBS: Final = (
    Verb.DUE_TARGET_SET,
    Verb.REASON_CHOICE_SET,
    Verb.CALIBRATION_ACTIVATED,
    Verb.USER_ADDED,
    Verb.USER_ROLE_CHANGED,
    Verb.USER_DEACTIVATED,
    Verb.USER_READMITTED,
    Verb.SERVICE_KEY_ISSUED,
    Verb.SERVICE_KEY_REVOKED,
)


class ReasonSetting(NamedTuple):
    """Whether a reason is offered, and the terms clause that follows from it, or none."""

    is_offered: bool = True
    terms_clause: str = ""


def get_due_target_overrides() -> Mapping[str, timedelta]:
    """Return the targets that staff have set, by band."""
    return {band: timedelta(hours=hours) for band, hours in DueTarget.objects.values_list("band", "hours")}


def get_reason_overrides() -> Mapping[str, ReasonSetting]:
    """Return what staff have set of reasons, by code."""
    rows = ReasonOverride.objects.values_list("reason", "is_offered", "terms_clause")
    return {reason: ReasonSetting(is_offered, clause) for reason, is_offered, clause in rows}


def list_setting_changes(*, most: int, before: int | None = None) -> list[Entry]:
    """Return the newest entries about settings, people and service keys, or those before an entry's number."""
    entries = Entry.objects.filter(verb__in=SETTING_VERBS)
    if before is not None:
        entries = entries.filter(number__lt=before)
    return list(entries.order_by("-number")[:most])
