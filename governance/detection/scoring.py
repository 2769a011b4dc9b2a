"""Turn findings into a score in which every point belongs to a finding. Pure.

A finding is worth its detector's weight times its strength. Points of one family are capped, since one harmless cause
may explain the whole family: only what is asked, or acting with others, reaches a reviewer by itself, and no family
passes the automatic line alone. Findings of the harmless family take points off, down to a cap of their own. What a
cap takes away is taken from its findings in proportion, so the points shown add up to the score.

An account that belongs to a campaign is scored by its own evidence and the campaign's: of each detector the stronger
finding counts, the one in the account's own usage or the one in the usage of all members together, the latter scaled
by how surely the account belongs to the campaign.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from governance.detection.calibration import CAPS, POINTS_PER_NAT, Calibration, caps_for
from governance.detection.curves import content_model
from governance.detection.detectors import Detector
from governance.detection.finding import UNMEASURED, Family, Finding
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
    """The score of one account: `points` from 0 to 100, and the findings they come from, most points first.

    `log_odds` are those of a harvest by this score and `log_odds_error` their standard error, in nats, for even odds
    beforehand (see `probability`). `content_log_odds` are those by what the account itself asked alone, without what is
    left out by careless tools and without its campaign; None where no text was read.
    """

    points: int
    band: Band
    findings: tuple[ScoredFinding, ...]
    model_version: str
    log_odds: float = 0.0
    log_odds_error: float = 0.0
    content_log_odds: float | None = None

    @property
    def families(self) -> frozenset[Family]:
        """The kinds of evidence against the account that an automatic restriction may count."""
        return frozenset(scored.finding.family for scored in self.findings if scored.points > 0) - UNMEASURED


def assess(
    usage: AccountUsage, detectors: Sequence[Detector], calibration: Calibration, *, shared: Sequence[Finding] = ()
) -> Score:
    """Run every detector on the usage and add up the points of their findings.

    Args:
        usage: one account's usage, or the usage of several added up as if it were one account's.
        detectors: each gives at most one finding, worth its weight times the strength, in points.
        calibration: weights by detector name; a detector that it does not name keeps the weight in its file.
        shared: findings in the usage of the account's campaign, with strengths already scaled by how surely the
            account belongs to it (see `serialization.findings_for_member`).

    The points of a family are capped (`calibration.caps_for`) by scaling its findings in proportion; points against are
    limited to 100 in all, points in favour to what there is against. So the points of the findings, which are floats,
    add up to the score before rounding: the score differs from their sum by at most 0.5.

    >>> from governance.detection.detectors import all_detectors
    >>> from governance.usage.account_usage import AccountFacts
    >>> usage = AccountUsage(facts=AccountFacts(card_accounts=6), standalone_share=1.0)
    >>> score = assess(usage, all_detectors(), Calibration(version="example"))
    >>> score.points, score.band.value, [(one.finding.detector, one.points) for one in score.findings]
    (18, 'low', [('shared_card', 18.0)])
    """
    own = [(detector, finding) for detector in detectors if (finding := detector.finding(usage)) is not None]
    everything = _with_points(stronger_findings(own, detectors, shared), calibration)
    return _score(everything, _with_points(own, calibration), usage.texts, calibration)


def iter_findings(
    usage: AccountUsage, detectors: Iterable[Detector], *, shared: Sequence[Finding] = ()
) -> Iterator[tuple[Detector, Finding]]:
    """Yield each detector that has a finding, with the finding in the account or, if stronger, in its campaign."""
    detectors = [*detectors]
    own = [(detector, finding) for detector in detectors if (finding := detector.finding(usage)) is not None]
    yield from stronger_findings(own, detectors, shared)


def stronger_findings(
    own: Sequence[tuple[Detector, Finding]], detectors: Iterable[Detector], shared: Sequence[Finding]
) -> list[tuple[Detector, Finding]]:
    """Return an account's findings, each replaced by its campaign's where that is stronger; in order of `detectors`."""
    mine = {detector.name: finding for detector, finding in own}
    together = {finding.detector: finding for finding in shared}
    found = []
    for detector in detectors:
        one, other = mine.get(detector.name), together.get(detector.name)
        finding = other if one is None or (other and other.strength > one.strength) else one
        if finding is not None:
            found.append((detector, finding))
    return found


def _with_points(findings: Iterable[tuple[Detector, Finding]], calibration: Calibration) -> list[tuple[Finding, float]]:
    return [
        (finding, calibration.weight(detector.name, otherwise=detector.weight) * finding.strength)
        for detector, finding in findings
    ]


def _score(
    findings: Sequence[tuple[Finding, float]],
    own: Sequence[tuple[Finding, float]],
    texts: int,
    calibration: Calibration,
) -> Score:
    sums, caps = _by_family(findings), caps_for(texts)
    kept = {family: min(1.0, caps[family] / abs(total)) for family, total in sums.items() if total}
    scored = [ScoredFinding(finding=f, points=points * kept.get(f.family, 1.0)) for f, points in findings]
    fitted = _fit_to_scale(scored)
    total = round(sum(item.points for item in fitted))
    ordered = sorted(fitted, key=lambda item: (-abs(item.points), item.finding.detector))
    return Score(
        points=total,
        band=band_of(total),
        findings=tuple(ordered),
        model_version=calibration.version,
        log_odds=calibration.probability.log_odds(total),
        log_odds_error=calibration.probability.error(total, texts=texts),
        content_log_odds=_content_log_odds(own) if texts else None,
    )


def _by_family(findings: Iterable[tuple[Finding, float]]) -> dict[Family, float]:
    sums: dict[Family, float] = {}
    for finding, points in findings:
        sums[finding.family] = sums.get(finding.family, 0.0) + points
    return sums


def _content_log_odds(own: Sequence[tuple[Finding, float]]) -> float:
    """Return the log-odds, in nats, by what an account asked, less what speaks for it."""
    sums = _by_family(own)
    against = min(sums.get(Family.CONTENT, 0.0), CAPS[Family.CONTENT])
    in_favour = max(sums.get(Family.HARMLESS, 0.0), -CAPS[Family.HARMLESS])
    return content_model().base + (against + in_favour) / POINTS_PER_NAT


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
