"""Runs an evaluation.

Public evaluations look like a harvest: many single questions in a fixed wrapping. What tells them apart is
that they want a mark and not a text: a letter or a final figure, low temperature or a fixed seed, short
runs, and prompts that unrelated customers send in the very same wrapping. While few customers are known, that nobody
else has been seen with a wrapping says nothing yet, and counts for the account.
"""

from typing import Final

from governance.detection.finding import Family, Finding, name_sample, percent, ramp
from governance.usage.account_usage import AccountUsage
from governance.web.counts import pluralize

FAMILY: Final = Family.HARMLESS
VERSION: Final = 3
WEIGHT: Final = -16
LEAST_NAMED: Final = 0.005  # less is 0 %
HARMLESS: Final = "This is evidence for the account; a harvest can look like an evaluation."


def detect(
    usage: AccountUsage,
    *,
    least_texts: int = 10,
    ordinary_share: float = 0.3,
    min_accounts: int = 2,
    max_accounts: int = 8,
    min_known: int = 300,
    max_known: int = 1_000,
) -> Finding | None:
    """Strength grows with examination questions, and with one public wrapping, under settings for
    repeatable answers.
    """
    exam = max(
        ramp(usage.marker_share("benchmark"), ordinary_share, 0.8), ramp(usage.facts.evaluation_share, 0.15, 0.6)
    )
    single = ramp(usage.lead_share, 0.7, 0.95) * ramp(usage.steady_share, 0.5, 0.9)
    known_to_us = usage.facts.customers_known
    unheard_of = 0.0 if known_to_us is None else ramp(known_to_us, max_known, min_known)
    public = single * max(ramp(usage.facts.template_accounts, min_accounts, max_accounts), unheard_of)
    form = max(exam, public, single / 2)
    if usage.texts < least_texts or form == 0 or usage.making_share > 0.2:
        return None
    repeatable = max(usage.settled_share, usage.unset_temperature_share * exam)
    known = 0.6 + 0.4 * max(public, usage.seeded_share)
    one_answer = 1 - ramp(usage.mean_n, 1.5, 4)
    return Finding(
        strength=form * repeatable * known * one_answer,
        sentence=_sentence(usage, is_exam=exam >= max(public, single / 2)),
        evidence={
            "benchmark_share": usage.marker_share("benchmark"),
            "lead_share": usage.lead_share,
            "seeded_share": usage.seeded_share,
            "cold_share": usage.cold_share,
            "template_accounts": usage.facts.template_accounts,
            "customers_known": usage.facts.customers_known,
            "evaluation_share": usage.facts.evaluation_share,
            "runs_sampled": len(usage.shingles),
            "texts": usage.texts,
            "events": usage.events,
        },
    )


def _sentence(usage: AccountUsage, *, is_exam: bool) -> str:
    """What it counts for first: its questions, or the template that they are sent in. A share of 0 % is not named."""
    asked, lead, settled = usage.marker_share("benchmark"), usage.lead_share, usage.settled_share
    clauses = [
        (asked, f"{percent(asked)} of {usage.texts:,} prompts are examination questions"),
        (lead, f"{percent(lead)} of the prompts in a template are in the same one"),
    ]
    if not is_exam:
        clauses.reverse()
    clauses.append((settled, f"{percent(settled)} of {usage.events:,} requests are set for repeatable answers"))
    return f"{'; '.join([*(clause for share, clause in clauses if share >= LEAST_NAMED), _seen_elsewhere(usage)])}."


def _seen_elsewhere(usage: AccountUsage) -> str:
    """Where else its questions and its wrapping were seen, and among how many that was looked for."""
    facts = usage.facts
    recognised = (
        f"{percent(facts.evaluation_share)} of the words {name_sample('in its prompts', usage.shingles)} are a known "
        "evaluation's; "
        if facts.evaluation_share
        else ""
    )
    if facts.customers_known is None:
        return f"{recognised}{pluralize(facts.template_accounts, 'other account')} also use its prompt template"
    return (
        f"{recognised}{facts.template_accounts:,} of {facts.customers_known:,} accounts known are "
        "of other organisations and use its prompt template"
    )
