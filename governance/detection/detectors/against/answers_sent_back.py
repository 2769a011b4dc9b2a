"""Sends answers back as questions.

A harvest feeds answers in again: instructions that are evolved step by step, dialogues in which the model plays both
sides, answers that are judged, improved or continued. Then the words of first questions stand in answers that the
account got before, or that an account of another organisation got. Answers that repeat what their own request said do
not count, nor do answers that are quoted in a follow-up. Within a conversation that goes on under its id, a return
counts little.
"""

from typing import Final

from governance.detection.finding import Family, Finding, name_sample, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.ANSWERS
VERSION: Final = 1
# A nat, set by hand: no labelled world has answers.
WEIGHT: Final = 8
HARMLESS: Final = (
    "People quote answers, and products work in steps: one request drafts, the next checks or translates the draft."
)


def detect(
    usage: AccountUsage, *, least_compared: int = 10, ordinary_share: float = 0.2, full_share: float = 0.6
) -> Finding | None:
    """Strength grows with the share of the runs of words in first questions that stand in earlier answers."""
    facts = usage.facts
    own = usage.returned_share if usage.returned_of >= least_compared else 0.0
    others = facts.others_answers_share if facts.others_answers_of >= least_compared else 0.0
    share, compared = max((own, usage.returned_of), (others, facts.others_answers_of))
    if share <= ordinary_share:
        return None
    whose = "that it was given itself" if own >= others else "given to an account of another organisation"
    return Finding(
        strength=ramp(share, ordinary_share, full_share) * (1 - 0.75 * usage.resumed_share),
        sentence=(
            f"{percent(share)} of the four-word runs {name_sample('in its first questions', compared)} stand in "
            f"answers {whose}."
        ),
        evidence={
            "returned_share": usage.returned_share,
            "returned_of": usage.returned_of,
            "others_answers_share": facts.others_answers_share,
            "others_answers_of": facts.others_answers_of,
            "answered_share": usage.answered_share,
            "resumed_share": usage.resumed_share,
        },
    )
