"""Findings as they are stored, and read again. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from governance.detection.finding import Family, Finding
from governance.detection.scoring import Score

STRENGTH_DECIMALS: Final = 3


def serialize_findings(score: Score) -> list[dict[str, Any]]:
    """The findings of a score for a JSON column, with whole points that add up to the score."""
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
    """Findings of a campaign, with how many of its accounts had usage when they were made."""
    return [{**one, "evidence": {**one["evidence"], "accounts": accounts}} for one in findings]


def _after_colon(sentence: str) -> str:
    """A sentence as it is written after a colon."""
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence


def findings_for_member(findings: Iterable[Mapping[str, Any]], *, members: int, belongs: float) -> list[Finding]:
    """What a campaign shows, as findings of a member that belongs to it so far (0–1).

    Accounts may have joined or left since: each finding says over how many it was made, and `members` is for those that
    were stored without. What speaks for the campaign, and that its members act as one, is said of each by itself.
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
    """Points as whole numbers with this total: rounded down, the rest to those that lost most (largest remainder)."""
    floors = [int(p // 1) for p in points]
    by_loss = sorted(range(len(points)), key=lambda place: floors[place] - points[place])
    for place in by_loss[: total - sum(floors)]:
        floors[place] += 1
    return floors


def strongest_harmless_explanation(findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The best innocent explanation of what was seen, with the figures it rests on.

    That is what speaks for the account, where something does; else the likeliest innocent reason for what speaks
    against it most.
    """
    in_favour = [one for one in findings if one["family"] == Family.HARMLESS]
    if in_favour:
        best = min(in_favour, key=lambda one: (one["points"], -one["strength"]))
        told = {"explanation": best["title"], "because": best["sentence"]}
    elif findings:
        best = findings[0]
        told = {"explanation": best["harmless"], "because": f"It would explain: {best['sentence']}"}
    else:
        return {}
    return {**told, "detector": best["detector"], "evidence": best["evidence"], "points": min(0, best["points"])}
