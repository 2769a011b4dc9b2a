"""Gets lists out of short questions.

Seeds of a data set are made by the list: a short request for twenty questions, tasks or examples, answered at four
times its length and more. The list is the model's own, not taken from what was sent.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.ANSWERS
VERSION: Final = 1
# Half a nat, set by hand: no labelled world has answers.
WEIGHT: Final = 4
HARMLESS: Final = (
    "Ideas, steps, ingredients and names are asked for as lists every day, and models like to answer in them."
)


def detect(
    usage: AccountUsage, *, least_answers: int = 20, ordinary_share: float = 0.4, full_share: float = 0.9
) -> Finding | None:
    """Strength grows with the share of answers that are lists, and with that of unattended first questions."""
    answers = round(usage.answered_share * usage.events)
    share = usage.listed_answer_share
    if answers < least_answers or share <= ordinary_share:
        return None
    return Finding(
        strength=ramp(share, ordinary_share, full_share) * (1 - usage.follow_up_share),
        sentence=(
            f"{percent(share)} of the answers to {answers:,} requests are lists of five items or more, and at least "
            "four times as long as their questions."
        ),
        evidence={
            "listed_answer_share": share,
            "answers": answers,
            "answered_share": usage.answered_share,
            "follow_up_share": usage.follow_up_share,
        },
    )
