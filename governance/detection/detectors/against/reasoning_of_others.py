"""Sends reasoning that was signed for others.

A model signs the reasoning that it hands out, so that it can be sent back with the next request. A block belongs to one
conversation of one account. In the account of another organisation it shows that transcripts are passed on: a harvest
that goes round several accounts, or that lets one continue where another was stopped.
"""

from typing import Final

from governance.detection.finding import Family, Finding, name_sample, ramp
from governance.usage.account_usage import AccountUsage
from governance.web.counts import pluralize

FAMILY: Final = Family.ANSWERS
VERSION: Final = 1
# A nat, set by hand: no labelled world has answers.
WEIGHT: Final = 8
HARMLESS: Final = "A platform moves its users' conversations to another account, or two organisations are one company."


def detect(usage: AccountUsage, *, few: int = 1, many: int = 8) -> Finding | None:
    """Strength grows with the number of its sampled blocks that accounts of other organisations had too."""
    facts = usage.facts
    if facts.shared_reasoning <= few:
        return None
    blocks = name_sample("signed reasoning blocks", usage.reasoning)
    others = pluralize(facts.reasoning_accounts, "account of another organisation", "accounts of other organisations")
    return Finding(
        strength=ramp(facts.shared_reasoning, few, many),
        sentence=f"{facts.shared_reasoning} of its {blocks} were also sent by {others}.",
        evidence={
            "shared_reasoning": facts.shared_reasoning,
            "blocks_sampled": len(usage.reasoning),
            "reasoning_accounts": facts.reasoning_accounts,
        },
    )
