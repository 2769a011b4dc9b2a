"""What follows from an assessment. Pure.

1. A licensed distiller does what its licence allows: it is scored, and nothing follows.
2. Below the review line nothing follows.
3. At or above it a case is opened for a person to decide, the sooner due the higher the band.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from governance.detection.scoring import REVIEW_LINE, Band, band_of

POLICY_VERSION: Final = "2026.1"

DUE_AFTER: Final[Mapping[Band, timedelta]] = {
    Band.CRITICAL: timedelta(hours=4),
    Band.HIGH: timedelta(hours=24),
    Band.ELEVATED: timedelta(hours=72),
    Band.LOW: timedelta(days=7),
}


class Response(StrEnum):
    """What is done about an assessment."""

    NOTHING = "nothing"
    CASE = "case"


def response_to(points: int, *, licensed: bool, review_line: int = REVIEW_LINE) -> Response:
    """Return what follows from a score from 0 to 100.

    >>> response_to(72, licensed=False).value, response_to(72, licensed=True).value
    ('case', 'nothing')
    """
    if licensed:
        return Response.NOTHING
    if points < review_line:
        return Response.NOTHING
    return Response.CASE


def due_at(points: int, *, opened_at: datetime, due_after: Mapping[Band, timedelta] = DUE_AFTER) -> datetime:
    """Return when a case with this score must be decided by."""
    return opened_at + due_after[band_of(points)]
