"""Convert findings to the JSON that is stored, and back. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from governance.detection.finding import Family, Finding
from governance.detection.scoring import Score

STRENGTH_DECIMALS: Final = 3


def serialize_findings(score: Score) -> list[dict[str, Any]]:
    """Return the findings of a score for a JSON column, with whole points that add up to the score."""
    points = round_to_total([scored.points for scored in score.findings], score.points)
    return [
        {
            "detector": scored.finding.detector,
            "title": scored.finding.title,
            "family": scored.finding.family.value,
            "version": scored.finding.version,
            "strength": round(scored.finding.strength, STRENGTH_DECIMALS),
            "points": worth,
            "sentence": scored.finding.sentence,
            "evidence": dict(scored.finding.evidence),
            "harmless": scored.finding.harmless,
        }
        for scored, worth in zip(score.findings, points, strict=True)
    ]


def with_account_count(findings: Iterable[Mapping[str, Any]], accounts: int) -> list[dict[str, Any]]:
    """Return stored findings of a campaign with the number of accounts that had usage added to their evidence."""
    return [{**one, "evidence": {**one["evidence"], "accounts": accounts}} for one in findings]


def _after_colon(sentence: str) -> str:
    """Return a sentence as it is written after a colon: in lower case, unless it begins with an acronym."""
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence


def findings_for_member(findings: Iterable[Mapping[str, Any]], *, members: int, belongs: float) -> list[Finding]:
    """Return a campaign's stored findings as findings of one member, their strengths scaled by `belongs` (0 to 1).

    Each says over how many accounts it was measured, since accounts may have joined or left; `members` is used for
    findings stored without that number. Findings in favour, and those of the family `together`, are left out: they
    are measured for each member by itself.
    """
    return [
        Finding(
            detector=one["detector"],
            title=one["title"],
            family=Family(one["family"]),
            version=one["version"],
            strength=one["strength"] * belongs,
            sentence=f"Over {one['evidence'].get('accounts', members)} accounts of its campaign: "
            + _after_colon(one["sentence"]),
            evidence={"accounts": members, **one["evidence"], "campaign_wide": True},
            harmless=one["harmless"],
        )
        for one in findings
        if one["family"] not in {Family.HARMLESS, Family.TOGETHER}
    ]


def round_to_total(points: Sequence[float], total: int) -> list[int]:
    """Round points to whole numbers that add up to `total` (largest remainder method, Hamilton 1792).

    Each result differs from its input by less than 1, provided that `total` is the rounded sum of the points.

    >>> round_to_total([10.4, 5.4, -3.2], 13)
    [11, 5, -3]
    """
    floors = [int(p // 1) for p in points]
    by_loss = sorted(range(len(points)), key=lambda place: floors[place] - points[place])
    for place in by_loss[: total - sum(floors)]:
        floors[place] += 1
    return floors


def strongest_harmless_explanation(findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the best harmless explanation of the findings, with its figures; empty without findings.

    That is the strongest finding in favour or, where there is none, the harmless reason of the finding with the most
    points against the account.
    """
    in_favour = [one for one in findings if one["family"] == Family.HARMLESS]
    if in_favour:
        best = min(in_favour, key=lambda one: (one["points"], -one["strength"]))
        explained = {"explanation": best["title"], "because": best["sentence"]}
    elif findings:
        best = findings[0]
        explained = {"explanation": best["harmless"], "because": f"It would explain: {best['sentence']}"}
    else:
        return {}
    return {**explained, "detector": best["detector"], "evidence": best["evidence"], "points": min(0, best["points"])}
