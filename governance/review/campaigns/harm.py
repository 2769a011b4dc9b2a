"""What a campaign has harvested so far, day by day, beside what was enough to train a student. Pure.

The published numbers of examples with which a smaller model was taught to imitate a larger one, or to reason:

- 817: LIMO, "Less is More for Reasoning" (Ye and others, 2025, arXiv:2502.03387).
- 1,000: s1, "Simple test-time scaling" (Muennighoff and others, 2025, arXiv:2501.19393); as many as LIMA, "Less Is More
  for Alignment" (Zhou and others, 2023, arXiv:2305.11206).
- 17,000: Sky-T1-32B-Preview (NovaSky, Berkeley, January 2025).
- 52,000: Alpaca (Taori and others, Stanford, March 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

HEIGHT: Final = 100.0
STEP: Final = 10.0
GAP: Final = 2.0


class PublishedStudent(NamedTuple):
    """A student that was trained on so many examples of a teacher."""

    examples: int
    name: str


PUBLISHED: Final = (
    PublishedStudent(817, "LIMO, 2025"),
    PublishedStudent(1_000, "s1, 2025; LIMA, 2023"),
    PublishedStudent(17_000, "Sky-T1, 2025"),
    PublishedStudent(52_000, "Alpaca, 2023"),
)


class DayOfMembers(NamedTuple):
    """What all members did on a day, and how many of them began on it."""

    day: date
    exchanges: int
    output_tokens: int
    began: int


class Comparison(NamedTuple):
    """A published student: how many times its examples were harvested, and since when that many were."""

    published: PublishedStudent
    times: float
    reached_on: date | None


class DrawnDay(NamedTuple):
    """A day of the drawing, 100 units high: bars for output tokens, and the height of the line of members so far."""

    x: float
    y: float
    height: float
    members_y: float
    label: str
    day: date
    exchanges: int
    output_tokens: int
    began: int
    members: int


@dataclass(frozen=True)
class Harm:
    """What was harvested so far: `exchanges` and `output_tokens` of all members together."""

    days: tuple[DrawnDay, ...]
    exchanges: int
    output_tokens: int
    most_tokens: int
    members: int
    comparisons: tuple[Comparison, ...]

    @property
    def width(self) -> float:
        return len(self.days) * STEP

    @property
    def members_line(self) -> str:
        """The points of a line that rises where members began."""
        points = []
        before = HEIGHT
        for day in self.days:
            points += [f"{day.x},{before}", f"{day.x},{day.members_y}"]
            before = day.members_y
        return " ".join([*points, f"{self.width},{before}"])

    @property
    def first(self) -> date:
        return self.days[0].day

    @property
    def last(self) -> date:
        return self.days[-1].day


def measure_harm(days: Sequence[DayOfMembers]) -> Harm | None:
    """Return what these days, in order, add up to; None where there are none."""
    if not days:
        return None
    by_day = {one.day: one for one in days}
    whole = [
        by_day.get(day, DayOfMembers(day, 0, 0, 0))
        for day in (days[0].day + timedelta(days=number) for number in range((days[-1].day - days[0].day).days + 1))
    ]
    most, all_members = max(one.output_tokens for one in whole), sum(one.began for one in whole)
    drawn, members = [], 0
    for place, one in enumerate(whole):
        members += one.began
        height = max(1.5, round(HEIGHT * one.output_tokens / most, 1)) if one.output_tokens else 0.0
        drawn.append(
            DrawnDay(
                x=place * STEP,
                y=round(HEIGHT - height, 1),
                height=height,
                members_y=round(HEIGHT - HEIGHT * members / max(1, all_members), 1),
                label=f"{one.day:%a %-d %b}: {one.exchanges:,} exchanges, {one.output_tokens:,} output tokens"
                + (f", {one.began} began" if one.began else ""),
                day=one.day,
                exchanges=one.exchanges,
                output_tokens=one.output_tokens,
                began=one.began,
                members=members,
            )
        )
    exchanges = sum(one.exchanges for one in whole)
    compared = (Comparison(one, exchanges / one.examples, _reached(whole, one.examples)) for one in PUBLISHED)
    return Harm(
        days=tuple(drawn),
        exchanges=exchanges,
        output_tokens=sum(one.output_tokens for one in whole),
        most_tokens=most,
        members=all_members,
        comparisons=tuple(compared),
    )


def _reached(days: Sequence[DayOfMembers], examples: int) -> date | None:
    """Return the day on which so many exchanges were reached."""
    so_far = 0
    for one in days:
        so_far += one.exchanges
        if so_far >= examples:
            return one.day
    return None
