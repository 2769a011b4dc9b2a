"""Customers of the weeks before the demonstration's days, and what became of each.

Each lives for a day. Then it has a case, by its score or because a colleague asked for one, which somebody decides;
those who are refused from then on try for another day. None of them has asked for anything since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from governance.demo import verdicts
from governance.demo.behaviours.building import EVALUATION_HARNESS
from governance.demo.behaviours.collecting import (
    CODE_HARVEST,
    DIALOGUE_SELF_PLAY,
    EVOLUTION,
    LOGIT_ACCESS,
    SAMPLED_SOLUTIONS,
    TEXTBOOKS,
)
from governance.demo.behaviours.harvesting import BULK_HARVEST, TASK_GENERATOR, TRACE_COLLECTOR
from governance.demo.behaviours.resembling import EXERCISE_PUBLISHER, EXPLAINER_SITE, REASONING_STUDY
from governance.demo.cast import CustomerBatch
from governance.demo.customer import CustomerKind
from governance.demo.world import World, assemble_world
from governance.review.verdicts import Verdict

LIVED: Final = timedelta(days=1)
TRIES: Final = timedelta(days=1)
SCALE: Final = 1.4


@dataclass(frozen=True)
class PastCase:
    """A customer whose case is opened so many `days` before the end, with others, and decided `hours` later.

    `seed` is that of a customer who scores as such a case should, and `by` a place in the team. `asked` is why a
    colleague opened the case, if the score is below the review line. With `at_first` there was another decision an hour
    before, which the lead undid for the reason that it names.
    """

    days: int
    kind: CustomerKind
    seed: int
    verdict: Verdict
    by: int
    hours: float
    asked: str = "Finance asked us to look: a new customer whose first bill is a hundred times the usual one."
    at_first: tuple[Verdict, str] | None = None


@dataclass(frozen=True)
class FormerCustomer:
    """A customer of the past with its world of one, and what happens to it."""

    chapter: PastCase
    world: World

    @property
    def account(self) -> str:
        return str(self.world.accounts[0]["account"])

    @property
    def opens_at(self) -> datetime:
        return self.world.starts_at + LIVED

    @property
    def decided_at(self) -> datetime:
        return self.opens_at + timedelta(hours=self.chapter.hours)


_UNDONE: Final = (
    verdicts.GUILTY,
    "Blocked too soon: the customer answered while I was at it. They revoked the key of a former employee.",
)

# In the order of time. The last ones are left out where the demonstration's own days reach back so far.
CHAPTERS: Final = (
    PastCase(27, EVALUATION_HARNESS, 7031, verdicts.AN_EVALUATION, 1, 7, "Sales asked: the same questions every week."),
    PastCase(27, BULK_HARVEST, 7002, verdicts.GUILTY, 2, 3.5),
    PastCase(27, CODE_HARVEST, 7017, verdicts.SUSPECT, 0, 27),
    PastCase(23, TRACE_COLLECTOR, 7004, verdicts.GUILTY_OF_TRACES, 3, 20),
    PastCase(23, REASONING_STUDY, 7046, verdicts.AGREED, 1, 44, "Support asked: two hundred problems in a day."),
    PastCase(20, EVOLUTION, 7007, verdicts.WARNED, 3, 4, at_first=_UNDONE),
    PastCase(20, DIALOGUE_SELF_PLAY, 7013, verdicts.GUILTY_OF_DATA, 2, 30),
    PastCase(17, EXERCISE_PUBLISHER, 7027, verdicts.INNOCENT, 0, 6, "Sales asked: works by night and answers no mail."),
    PastCase(17, LOGIT_ACCESS, 7015, verdicts.WITHOUT_PROBABILITIES, 1, 28),
    PastCase(13, SAMPLED_SOLUTIONS, 7024, verdicts.GUILTY_OF_TRACES, 0, 2.5),
    PastCase(13, EXPLAINER_SITE, 7030, verdicts.INNOCENT, 3, 32, "Finance asked: hardly pays, and asks at length."),
    PastCase(9, TEXTBOOKS, 7019, verdicts.SUSPENDED, 2, 14),
    PastCase(9, TASK_GENERATOR, 7005, verdicts.GUILTY_OF_DATA, 1, 40),
    PastCase(5, EVOLUTION, 7008, verdicts.GUILTY, 3, 10),
)


def former_customers(*, ends_at: datetime, before: datetime) -> Sequence[FormerCustomer]:
    """Return those of whom all was over `before` the days that the demonstration plays."""
    days = (LIVED + TRIES).days
    made = [
        FormerCustomer(
            chapter,
            assemble_world(
                [CustomerBatch(chapter.kind, 1, scale=SCALE)],
                chapter.seed,
                ends_at - timedelta(days=chapter.days) + TRIES,
                days,
            ),
        )
        for chapter in CHAPTERS
    ]
    return [one for one in made if one.world.ends_at <= before and one.decided_at < before]
