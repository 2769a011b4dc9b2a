"""Read and replace the active calibration."""

from datetime import datetime

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.detection import calibration
from governance.detection.detectors import all_detectors
from governance.detection.models import CalibrationVersion
from governance.platform.transactions import retried_transaction


class CalibrationVersionTakenError(Exception):
    """Another calibration has this version already, and assessments refer to it."""


def get_active_calibration() -> calibration.Calibration:
    """Return the calibration activated last, or the packaged one. Read once a batch."""
    newest = CalibrationVersion.objects.first()
    return parse_calibration_file(calibration.packaged_calibration_text() if newest is None else newest.content)


def parse_calibration_file(text: str) -> calibration.Calibration:
    """Parse the text of a calibration file against the detectors there are. Raises CalibrationError."""
    return calibration.parse_calibration(text, known={detector.name: detector.family for detector in all_detectors()})


@retried_transaction
def activate_calibration(text: str, *, by: Actor, now: datetime) -> calibration.Calibration:
    """Make this the active calibration. Raises CalibrationError, CalibrationVersionTakenError."""
    taken = parse_calibration_file(text)
    if CalibrationVersion.objects.filter(version=taken.version).exclude(content=text).exists():
        raise CalibrationVersionTakenError(f"{taken.version} is another calibration")
    before = get_active_calibration()
    CalibrationVersion.objects.update_or_create(
        version=taken.version,
        defaults={"content": text, "in_force_since": now, "put_in_force_by": str(by)},
    )
    record(
        Verb.CALIBRATION_ACTIVATED,
        subject=("calibration", taken.version),
        by=by,
        now=now,
        details={"before": before.version, "content": text},
    )
    return taken
