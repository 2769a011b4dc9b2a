"""The calibration in force, and putting another in its place."""

from datetime import datetime

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.detection import calibration
from governance.detection.detectors import all_detectors
from governance.detection.models import Calibration
from governance.platform.transactions import retried_transaction


class VersionTakenError(Exception):
    """Another calibration bears this version: what assessments say of it must stay true."""


def calibration_in_force() -> calibration.Calibration:
    """The one last put in force, or else the packaged one. Asked for once a batch."""
    newest = Calibration.objects.first()
    return read(calibration.packaged_text() if newest is None else newest.content)


def read(text: str) -> calibration.Calibration:
    """Read a calibration's file. Raises CalibrationError."""
    return calibration.read(text, known={detector.name: detector.family for detector in all_detectors()})


@retried_transaction
def put_in_force(text: str, *, by: Actor, now: datetime) -> calibration.Calibration:
    """Judge by this calibration from now on. Raises CalibrationError, VersionTakenError."""
    taken = read(text)
    if Calibration.objects.filter(version=taken.version).exclude(content=text).exists():
        raise VersionTakenError(f"{taken.version} is another calibration")
    before = calibration_in_force()
    Calibration.objects.update_or_create(
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
