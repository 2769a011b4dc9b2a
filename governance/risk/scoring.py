"""From findings to a score, so that every point has a name.

A finding earns its detector's weight times its strength. Points of one family are capped below the review
line, since one harmless cause may explain the whole family: it takes two families to reach a reviewer, and
three to pass the automatic line. Findings of the harmless family take points off, down to a cap of their
own. What a cap takes away is taken from its findings in proportion, so the points shown add up to the
score.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from governance.risk.detectors import Detector
from governance.risk.finding import Family, Finding
from governance.usage.account_usage import AccountUsage

MODEL_VERSION: Final = "2026.1"

REVIEW_LINE: Final = 50
AUTOMATIC_LINE: Final = 85

# The most points a family can give; the harmless one takes at most this many away.
CAPS: Final[Mapping[Family, float]] = {
    Family.CONTENT: 42,
    Family.SHAPE: 38,
    Family.RHYTHM: 30,
    Family.IDENTITY: 24,
    Family.TOGETHER: 36,
    Family.HARMLESS: 40,
}


class Band(StrEnum):
    """How a score is spoken of."""

    LOW = "low"
    ELEVATED = "elevated"
    HIGH = "high"
    CRITICAL = "critical"


# The least score of each band.
BANDS: Final[Mapping[Band, int]] = {Band.CRITICAL: 85, Band.HIGH: 68, Band.ELEVATED: REVIEW_LINE, Band.LOW: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredFinding:
    """A finding with the points it was worth; negative where it speaks for the account."""

    finding: Finding
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The outcome of looking at one account: `points` from 0 to 100, and the findings they come from,
    weightiest first.
    """

    points: int
    band: Band
    findings: tuple[ScoredFinding, ...]
    model_version: str = MODEL_VERSION

    @property
    def families(self) -> frozenset[Family]:
        """The kinds of evidence against the account."""
        return frozenset(scored.finding.family for scored in self.findings if scored.points > 0)


def assess(usage: AccountUsage, detectors: Iterable[Detector]) -> Score:
    """Let every detector look, and add up what they saw."""
    seen = [
        (finding, detector.weight * finding.strength) for detector in detectors if (finding := detector.look(usage))
    ]
    by_family: dict[Family, float] = {}
    for finding, points in seen:
        by_family[finding.family] = by_family.get(finding.family, 0.0) + points
    kept = {family: min(1.0, CAPS[family] / abs(total)) for family, total in by_family.items() if total}
    scored = [ScoredFinding(finding=f, points=points * kept.get(f.family, 1.0)) for f, points in seen]
    fitted = _fit_to_scale(scored)
    total = round(sum(item.points for item in fitted))
    ordered = sorted(fitted, key=lambda item: (-abs(item.points), item.finding.detector))
    return Score(points=total, band=band_of(total), findings=tuple(ordered))


def band_of(points: int) -> Band:
    """The band a score of 0 to 100 lies in."""
    return next(band for band, least in BANDS.items() if points >= least)


def _fit_to_scale(scored: list[ScoredFinding]) -> list[ScoredFinding]:
    """Shrink what speaks against the account to at most 100 in all, and what speaks for it to no more than
    that.
    """
    against = sum(item.points for item in scored if item.points > 0)
    favour = -sum(item.points for item in scored if item.points < 0)
    shrink = min(1.0, (100 + min(favour, against)) / against) if against else 1.0
    soften = min(1.0, against * shrink / favour) if favour else 1.0
    return [
        ScoredFinding(finding=item.finding, points=item.points * (shrink if item.points > 0 else soften))
        for item in scored
    ]
