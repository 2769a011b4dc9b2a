"""Writing down what is thought of accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from governance.risk.models import Assessment, TemplateUse
from governance.risk.policy import POLICY_VERSION, Response
from governance.risk.queries import Judgement, Look
from governance.risk.scoring import Score
from governance.usage.profile.content import STEADY_USES

STRENGTH_DECIMALS = 3
# A template that so many accounts use is public.
PUBLIC_FROM = 50


def write_assessments(judgements: Sequence[Judgement], *, now: datetime) -> list[Assessment]:
    """An assessment for each judgement: a new one where it says something new, else the last one, confirmed.

    Runs in the caller's transaction.
    """
    accounts = [judgement.look.account for judgement in judgements]
    latest = {one.account_id: one for one in Assessment.objects.filter(account__in=accounts).latest_of_each()}
    confirmed: list[Assessment] = []
    new: list[Assessment] = []
    for judgement in judgements:
        assessment = _assessment(judgement, now=now)
        last = latest.get(judgement.look.account)
        if last is not None and _says_the_same(last, assessment):
            last.confirmed_at, last.window_end, last.events = now, assessment.window_end, assessment.events
            confirmed.append(last)
        else:
            new.append(assessment)
    Assessment.objects.bulk_update(confirmed, ["confirmed_at", "window_end", "events"])
    Assessment.objects.bulk_create(new)
    return confirmed + new


def _assessment(judgement: Judgement, *, now: datetime) -> Assessment:
    return Assessment(
        account_id=judgement.look.account,
        assessed_at=now,
        confirmed_at=now,
        window_start=judgement.look.window.start,
        window_end=judgement.look.window.end,
        events=judgement.look.window.events,
        score=judgement.score.points,
        band=judgement.score.band,
        findings=_written(judgement.score),
        model_version=judgement.score.model_version,
        licensed=judgement.look.usage.facts.licensed,
        response=Response.CASE if judgement.due_at else Response.NOTHING,
        policy_version=POLICY_VERSION,
    )


def _says_the_same(one: Assessment, other: Assessment) -> bool:
    """Same score from the same detectors: sentences whose figures have moved a little are no news."""

    def gist(assessment: Assessment) -> tuple[Any, ...]:
        points = {finding["detector"]: finding["points"] for finding in assessment.findings}
        return assessment.score, points, assessment.licensed, assessment.response, assessment.model_version

    return gist(one) == gist(other)


def _written(score: Score) -> list[dict[str, Any]]:
    """The findings as they are stored, with whole points that add up to the score."""
    return [
        {
            "detector": scored.finding.detector,
            "title": scored.finding.title,
            "family": scored.finding.family.value,
            "version": scored.finding.version,
            "strength": round(scored.finding.strength, STRENGTH_DECIMALS),
            "points": points,
            "sentence": scored.finding.sentence,
            "evidence": dict(scored.finding.evidence),
            "harmless": scored.finding.harmless,
        }
        for scored, points in zip(score.findings, _whole([s.points for s in score.findings], score.points), strict=True)
    ]


def _whole(points: Sequence[float], total: int) -> list[int]:
    """Points as whole numbers with this total: rounded down, the rest to those that lost most (largest remainder)."""
    floors = [int(p // 1) for p in points]
    by_loss = sorted(range(len(points)), key=lambda place: floors[place] - points[place])
    for place in by_loss[: total - sum(floors)]:
        floors[place] += 1
    return floors


def remember_templates(looks: Sequence[Look], *, now: datetime) -> set[int]:
    """Which templates these accounts use much, so that accounts which share one find each other.

    Answers with the other accounts for which this is news: they share a template with somebody new. A template that
    many use is public, and no news to anybody. Runs in the caller's transaction.
    """
    accounts = [look.account for look in looks]
    uses = {
        (digest, look.account): TemplateUse(
            template_digest=digest,
            account_id=look.account,
            organisation=look.organisation,
            events=events,
            seen_at=now,
        )
        for look in looks
        for digest, events in look.usage.top_templates
        if events >= STEADY_USES
    }
    known = TemplateUse.objects.filter(account__in=accounts)
    new = {digest for digest, _ in uses.keys() - set(known.values_list("template_digest", "account_id"))}
    known.delete()
    TemplateUse.objects.bulk_create(uses.values())
    return TemplateUse.objects.neighbours(new, most=PUBLIC_FROM) - set(accounts)
