"""Sends new prompts on unrelated subjects.

An instruction set covers everything: code, history, recipes, sums. Its harvest is a stream of single
requests, each new, each on another subject, with no product around them: no system prompt, no conversation,
no end user. Breadth is measured as the mean distance between two of a sample of the account's prompts, in parts of
a built-in reference: the distance that fingerprints of unrelated texts have by chance. No other customers are compared.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp, sample_of
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 2
WEIGHT: Final = 30
HARMLESS: Final = (
    "A developer trying things out, or a small team's chat tool that names neither users nor conversations."
)


def detect(
    usage: AccountUsage, *, least_texts: int = 25, much: int = 120, narrow: float = 0.45, broad: float = 0.8
) -> Finding | None:
    """Strength grows with breadth, novelty, the share of bare requests and, up to `much` of them, their
    number.
    """
    if usage.texts < least_texts or usage.breadth is None:
        return None
    bare, new = ramp(usage.bare_share, 0.5, 0.95), ramp(usage.repeat_share, 0.6, 0.1)
    ordinary = ramp(max(usage.work_share, usage.marker_share("benchmark")), 0.3, 0.8)
    strength = (
        bare
        * new
        * (1 - ordinary)
        * ramp(usage.breadth, narrow, broad)
        * (0.4 + 0.6 * ramp(usage.texts, least_texts, much))
    )
    return Finding(
        strength=strength,
        sentence=(
            f"About {usage.prompts:,} of {usage.texts:,} prompts differ from each other and "
            f"{percent(usage.bare_share)} stand alone; the {sample_of('prompts', usage.sample)} are on average "
            f"{percent(min(1.0, usage.breadth))} as varied as unrelated texts (built-in reference)."
        ),
        evidence={
            "texts": usage.texts,
            "prompts": usage.prompts,
            "bare_share": usage.bare_share,
            "breadth": usage.breadth,
            "prompts_sampled": len(usage.sample),
        },
    )
