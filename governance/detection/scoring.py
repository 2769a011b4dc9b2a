"""Turn findings into a score in which every point belongs to a finding. Pure.

A finding is worth its detector's weight times its strength. Points of one family are capped below the review line,
since one harmless cause may explain the whole family: it takes two families to reach a reviewer, and three to pass the
automatic line. Findings of the harmless family take points off, down to a cap of their own. What a cap takes away is
taken from its findings in proportion, so the points shown add up to the score.

An account that belongs to a campaign is scored by its own evidence and the campaign's: of each detector the stronger
finding counts, the one in the account's own usage or the one in the usage of all members together, the latter scaled
by how surely the account belongs to the campaign.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from governance.detection.calibration import CAPS, Calibration
from governance.detection.detectors import Detector
from governance.detection.finding import Family, Finding
from governance.usage.account_usage import AccountUsage

REVIEW_LINE: Final = 50
AUTOMATIC_LINE: Final = 85

# The kinds of evidence of which an automatic restriction needs three.
FAMILIES_FOR_AUTOMATIC: Final = 3


class Band(StrEnum):
    """A range of scores with a name."""

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
    """The score of one account: `points` from 0 to 100, and the findings they come from, most points first."""

    points: int
    band: Band
    findings: tuple[ScoredFinding, ...]
    model_version: str

    @property
    def families(self) -> frozenset[Family]:
        """The kinds of evidence against the account."""
        return frozenset(scored.finding.family for scored in self.findings if scored.points > 0)


def assess(
    usage: AccountUsage, detectors: Iterable[Detector], calibration: Calibration, *, shared: Sequence[Finding] = ()
) -> Score:
    """Run every detector on the usage and add up the points of their findings.

    Args:
        usage: one account's usage, or the usage of several added up as if it were one account's.
        detectors: each gives at most one finding, worth its weight times the strength, in points.
        calibration: weights by detector name; a detector that it does not name keeps the weight in its file.
        shared: findings in the usage of the account's campaign, with strengths already scaled by how surely the
            account belongs to it (see `serialization.findings_for_member`).

    The points of a family are capped (`calibration.CAPS`) by scaling its findings in proportion; points against are
    limited to 100 in all, points in favour to what there is against. So the points of the findings, which are floats,
    add up to the score before rounding: the score differs from their sum by at most 0.5.

    >>> from governance.detection.detectors import all_detectors
    >>> from governance.usage.account_usage import AccountFacts
    >>> usage = AccountUsage(facts=AccountFacts(card_accounts=6), standalone_share=1.0)
    >>> score = assess(usage, all_detectors(), Calibration(version="example"))
    >>> score.points, score.band.value, [(one.finding.detector, one.points) for one in score.findings]
    (18, 'low', [('shared_card', 18.0)])
    """
    return _score(
        [
            (finding, calibration.weight(detector.name, otherwise=detector.weight) * finding.strength)
            for detector, finding in iter_findings(usage, detectors, shared=shared)
        ],
        calibration,
    )


def iter_findings(
    usage: AccountUsage, detectors: Iterable[Detector], *, shared: Sequence[Finding] = ()
) -> Iterator[tuple[Detector, Finding]]:
    """Yield each detector that has a finding, with the finding in the account or, if stronger, in its campaign."""
    together = {finding.detector: finding for finding in shared}
    for detector in detectors:
        own, other = detector.finding(usage), together.get(detector.name)
        finding = other if own is None or (other and other.strength > own.strength) else own
        if finding is not None:
            yield detector, finding


def _score(findings: Sequence[tuple[Finding, float]], calibration: Calibration) -> Score:
    by_family: dict[Family, float] = {}
    for finding, points in findings:
        by_family[finding.family] = by_family.get(finding.family, 0.0) + points
    kept = {family: min(1.0, CAPS[family] / abs(total)) for family, total in by_family.items() if total}
    scored = [ScoredFinding(finding=f, points=points * kept.get(f.family, 1.0)) for f, points in findings]
    fitted = _fit_to_scale(scored)
    total = round(sum(item.points for item in fitted))
    ordered = sorted(fitted, key=lambda item: (-abs(item.points), item.finding.detector))
    return Score(points=total, band=band_of(total), findings=tuple(ordered), model_version=calibration.version)


def band_of(points: int) -> Band:
    """Return the band of a score from 0 to 100.

    >>> [band_of(points).value for points in (0, 50, 68, 85)]
    ['low', 'elevated', 'high', 'critical']
    """
    return next(band for band, least in BANDS.items() if points >= least)


def _fit_to_scale(scored: list[ScoredFinding]) -> list[ScoredFinding]:
    """Scale the points so that the total is between 0 and 100.

    Points against are scaled to at most 100 after what is taken off, points in favour to at most the points against.
    """
    against = sum(item.points for item in scored if item.points > 0)
    favour = -sum(item.points for item in scored if item.points < 0)
    shrink = min(1.0, (100 + min(favour, against)) / against) if against else 1.0
    soften = min(1.0, against / favour) if favour else 1.0
    return [
        ScoredFinding(finding=item.finding, points=item.points * (shrink if item.points > 0 else soften))
        for item in scored
    ]
