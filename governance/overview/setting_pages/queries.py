"""What the pages of settings show."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from governance.audit.models import Entry
from governance.audit.subjects import SubjectLink, find_subjects
from governance.audit.verbs import Verb
from governance.configuration.queries import list_setting_changes
from governance.detection.active_calibration import parse_calibration_file
from governance.detection.calibration import packaged_calibration_text
from governance.detection.models import CalibrationVersion
from governance.detection.scoring import AUTOMATIC_LINE, BANDS, REVIEW_LINE
from governance.policies.rules import HIGHEST_OF_BAND

CHANGES: Final = 50


class BandRange(NamedTuple):
    """The scores of a band, and whether a case opens for them."""

    name: str
    least: int
    most: int
    opens_case: bool


class ScoreThresholds(NamedTuple):
    """The review line, the line of automatic restrictions, the bands, and the calibration they belong to."""

    review: int
    automatic: int
    bands: list[BandRange]
    calibration: str
    since: datetime | None
    by: str


def get_score_thresholds() -> ScoreThresholds:
    """In one query."""
    stored = CalibrationVersion.objects.only("version", "in_force_since", "put_in_force_by").first()
    bands = [
        BandRange(band.value, least, HIGHEST_OF_BAND[band], HIGHEST_OF_BAND[band] >= REVIEW_LINE)
        for band, least in BANDS.items()
    ]
    if stored is None:
        version = parse_calibration_file(packaged_calibration_text()).version
        return ScoreThresholds(REVIEW_LINE, AUTOMATIC_LINE, bands, version, None, "")
    return ScoreThresholds(
        REVIEW_LINE, AUTOMATIC_LINE, bands, stored.version, stored.in_force_since, stored.put_in_force_by
    )


class SettingChange(NamedTuple):
    """A change of a setting: `before` and `after` are empty where something was added or taken away."""

    entry: Entry
    subject: SubjectLink
    what: str
    before: str
    after: str


class SettingChangePage(NamedTuple):
    """Changes, the newest first, and before which number the next page begins, if there is one."""

    changes: Sequence[SettingChange]
    next_before: int | None


_WHAT: Final[Mapping[str, str]] = {
    Verb.DUE_TARGET_SET: "due-date target changed",
    Verb.REASON_CHOICE_SET: "reason changed",
    Verb.CALIBRATION_ACTIVATED: "calibration activated",
    Verb.USER_ADDED: "user added",
    Verb.USER_ROLE_CHANGED: "role changed",
    Verb.USER_DEACTIVATED: "user shut out",
    Verb.USER_READMITTED: "user let in again",
    Verb.SERVICE_KEY_ISSUED: "service key issued",
    Verb.SERVICE_KEY_REVOKED: "service key revoked",
}


def get_setting_changes(*, before: int | None = None) -> SettingChangePage:
    """A page of the history: in one query for the entries, and one for each kind of what they are about."""
    entries = list_setting_changes(most=CHANGES + 1, before=before)
    shown = entries[:CHANGES]
    subjects = find_subjects(shown)
    changes = [SettingChange(one, subjects[one.number][0], _WHAT[one.verb], *_values(one)) for one in shown]
    return SettingChangePage(changes, shown[-1].number if len(entries) > CHANGES else None)


def _values(entry: Entry) -> tuple[str, str]:
    """What was before and what is after, in words."""
    details = entry.details
    before, after = "", ""
    match entry.verb:
        case Verb.DUE_TARGET_SET:
            before, after = f"{details['before']} h", f"{details['after']} h"
        case Verb.REASON_CHOICE_SET:
            before, after = _reason(details["before"]), _reason(details["after"])
        case Verb.CALIBRATION_ACTIVATED:
            before, after = details["before"], entry.subject_id
        case Verb.USER_ROLE_CHANGED:
            before, after = details["before"], details["after"]
        case Verb.USER_ADDED | Verb.USER_READMITTED:
            after = details["role"]
        case Verb.SERVICE_KEY_ISSUED:
            after = ", ".join(details["scopes"])
    return str(before), str(after)


def _reason(setting: Mapping[str, Any]) -> str:
    offered = "offered" if setting["is_offered"] else "not offered"
    return f"{offered}, {setting['terms_clause']}" if setting["terms_clause"] else offered
