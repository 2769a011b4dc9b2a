"""Writing down what is thought of accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from governance.risk.models import Assessment
from governance.risk.policy import POLICY_VERSION, Response
from governance.risk.queries import Judgement
from governance.risk.written import strongest_harmless, written


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
    findings = written(judgement.score)
    return Assessment(
        account_id=judgement.look.account,
        assessed_at=now,
        confirmed_at=now,
        window_start=judgement.look.window.start,
        window_end=judgement.look.window.end,
        events=judgement.look.window.events,
        score=judgement.score.points,
        band=judgement.score.band,
        findings=findings,
        harmless=strongest_harmless(findings),
        campaign=judgement.campaign,
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
