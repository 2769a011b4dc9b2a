"""Uses the same unusual wrappings as other customers.

Accounts that work together take their wrappings from one list. Two or more steady wrappings in common with
unrelated organisations, around broad subjects, point to one hand. A single one in common may come from a
public framework.
"""

from typing import Final

from governance.risk.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.TOGETHER
VERSION: Final = 1
WEIGHT: Final = 26
HARMLESS: Final = "Frameworks and public evaluations give many unrelated customers the same wrapping."


def detect(usage: AccountUsage, *, few: int = 2, many: int = 12, broad: float = 0.55) -> Finding | None:
    """Strength grows with the number of other organisations' accounts, for several wrappings around broad
    subjects.
    """
    others = usage.facts.template_accounts
    if others <= few or usage.steady_templates < 2 or usage.breadth is None:
        return None
    ordinary = ramp(max(usage.work_share, usage.marked("benchmark")), 0.2, 0.6)
    balance = ramp(usage.lead_share, 0.95, 0.7)
    strength = (
        ramp(others, few, many)
        * balance
        * ramp(usage.bare_share, 0.5, 0.95)
        * ramp(usage.breadth, broad - 0.15, broad)
        * (1 - ordinary)
    )
    return Finding(
        strength=strength,
        sentence=(
            f"{others} accounts of other organisations use wrappings that it uses too; "
            f"it has {usage.steady_templates} in steady use, on {percent(usage.steady_share)} of its prompts."
        ),
        evidence={
            "template_accounts": others,
            "steady_templates": usage.steady_templates,
            "steady_share": usage.steady_share,
            "breadth": usage.breadth,
        },
    )
