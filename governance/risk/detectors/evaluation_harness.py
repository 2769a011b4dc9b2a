"""Runs an evaluation.

Public evaluations look like a harvest: many single questions in a fixed wrapping. What tells them apart is
that they want a mark and not a text: a letter or a final figure, low temperature or a fixed seed, short
runs, and prompts that unrelated customers send in the very same wrapping. While few customers are known, that nobody
else has been seen with a wrapping says nothing yet, and counts for the account.
"""

from typing import Final

from governance.risk.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 2
WEIGHT: Final = -30
HARMLESS: Final = "This is evidence for the account; a harvest can dress up as an evaluation."


def detect(
    usage: AccountUsage,
    *,
    least_texts: int = 10,
    ordinary_share: float = 0.3,
    few: int = 2,
    many: int = 8,
    few_known: int = 300,
    many_known: int = 1_000,
) -> Finding | None:
    """Strength grows with examination questions, and with one public wrapping, under settings for
    repeatable answers.
    """
    exam = max(ramp(usage.marked("benchmark"), ordinary_share, 0.8), ramp(usage.facts.evaluation_share, 0.15, 0.6))
    single = ramp(usage.lead_share, 0.7, 0.95) * ramp(usage.steady_share, 0.5, 0.9)
    unheard_of = ramp(usage.facts.customers_known, many_known, few_known)
    public = single * max(ramp(usage.facts.template_accounts, few, many), unheard_of)
    form = max(exam, public, single / 2)
    if usage.texts < least_texts or form == 0 or usage.making_share > 0.2:
        return None
    repeatable = max(usage.settled_share, usage.unset_temperature_share * exam)
    known = 0.6 + 0.4 * max(public, usage.seeded_share)
    one_answer = 1 - ramp(usage.mean_n, 1.5, 4)
    return Finding(
        strength=form * repeatable * known * one_answer,
        sentence=(
            f"{percent(usage.marked('benchmark'))} of its prompts are examination questions and "
            f"{percent(usage.settled_share)} are set for repeatable answers; {usage.facts.template_accounts} "
            "unrelated customers use its wrapping too."
        ),
        evidence={
            "benchmark_share": usage.marked("benchmark"),
            "seeded_share": usage.seeded_share,
            "cold_share": usage.cold_share,
            "template_accounts": usage.facts.template_accounts,
        },
    )
