"""How the score of an account changed, and what changed it; with the numbers for a drawing. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

WIDTH: Final = 600.0
HEIGHT: Final = 100.0
# Changes of fewer points are not named where there are larger ones.
CHANGES_NAMED: Final = 4
# The others are there to be unfolded.
NEWEST_SHOWN: Final = 6


class ScoredAssessment(Protocol):
    """What is read of an assessment."""

    @property
    def assessed_at(self) -> datetime: ...
    @property
    def confirmed_at(self) -> datetime: ...
    @property
    def score(self) -> int: ...
    @property
    def band(self) -> str: ...
    @property
    def findings(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def campaign(self) -> object: ...
    @property
    def licensed(self) -> bool: ...
    @property
    def model_version(self) -> str: ...


class ScoreChange(NamedTuple):
    """One scoring, and what differs from the one before: sentences, the largest changes first."""

    at: datetime
    score: int
    band: str
    difference: int | None
    because: list[str]


class ScorePoint(NamedTuple):
    """Where a scoring is drawn; y grows downwards."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class ScoreHistory:
    """The newest change first. `path` is the line of the drawing, which is `WIDTH` by `HEIGHT`."""

    changes: list[ScoreChange]
    points: list[ScorePoint]
    path: str
    start: datetime
    end: datetime
    line_y: float

    @property
    def newest(self) -> list[ScoreChange]:
        return self.changes[:NEWEST_SHOWN]

    @property
    def older(self) -> list[ScoreChange]:
        return self.changes[NEWEST_SHOWN:]


def build_score_history(scorings: Sequence[ScoredAssessment], *, review_line: int) -> ScoreHistory | None:
    """Return the history of these scorings, given oldest first; None without any.

    The first of them is compared with nothing, be there earlier ones or not.
    """
    if not scorings:
        return None
    start, end = scorings[0].assessed_at, max(scorings[-1].confirmed_at, scorings[-1].assessed_at)
    span = (end - start).total_seconds()
    points = []
    for one in scorings:
        share = (one.assessed_at - start).total_seconds() / span if span else 0.0
        points.append(
            ScorePoint(round(WIDTH * share, 1), _y(one.score), f"{one.assessed_at:%-d %b %Y, %H:%M}: {one.score}")
        )
    changes = [
        ScoreChange(
            one.assessed_at, one.score, one.band, one.score - before.score if before else None, _because(one, before)
        )
        for one, before in zip(scorings, [None, *scorings[:-1]], strict=True)
    ]
    # A score holds until the next one: the line goes in steps.
    steps = [f"M{points[0].x} {points[0].y}", *(f"H{point.x}V{point.y}" for point in points[1:]), f"H{WIDTH}"]
    return ScoreHistory(changes[::-1], points, "".join(steps), start, end, _y(review_line))


def _y(score: int) -> float:
    return round(HEIGHT - HEIGHT * score / 100, 1)


def _because(now: ScoredAssessment, before: ScoredAssessment | None) -> list[str]:
    if before is None:
        return []
    said = []
    if now.model_version != before.model_version:
        said.append(f"scored by calibration {now.model_version}")
    if now.licensed != before.licensed:
        said.append("a licence to train began" if now.licensed else "its licence to train ended")
    if now.campaign != before.campaign:
        said.append(_campaign_change(now.campaign, before.campaign))
    return said + _finding_changes(now.findings, before.findings)


def _campaign_change(now: object, before: object) -> str:
    if now is None:
        return "it left its campaign"
    return "it joined a campaign" if before is None else "it joined another campaign"


def _finding_changes(now: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> list[str]:
    titles = {one["detector"]: str(one["title"]) for one in (*before, *now)}
    then, points = ({one["detector"]: int(one["points"]) for one in some} for some in (before, now))
    moved = {name: points.get(name, 0) - then.get(name, 0) for name in titles}
    largest = sorted((name for name in moved if moved[name]), key=lambda name: (-abs(moved[name]), titles[name]))
    said = [_finding_change(titles[name], points.get(name, 0), then.get(name, 0)) for name in largest[:CHANGES_NAMED]]
    if (others := len(largest) - CHANGES_NAMED) > 0:
        said.append(f"and {others} smaller change{'' if others == 1 else 's'}")
    return said


def _finding_change(title: str, now: int, before: int) -> str:
    if not before:
        return f"new: {title} ({_signed(now)})"
    if not now:
        return f"gone: {title} (was {_signed(before)})"
    return f"{title} ({_signed(before)} to {_signed(now)})"


def _signed(points: int) -> str:
    return f"+{points}" if points > 0 else f"−{-points}"
