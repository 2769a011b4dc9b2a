"""Does one narrow task.

Translation, tagging, summaries, extraction, questions about given documents: one wrapping or one system
prompt, one kind of task, on the customer's own material. What comes back is worth little to a copy of the
model.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 2
WEIGHT: Final = -20
HARMLESS: Final = "This is evidence for the account; a corpus of documents can be labelled for training too."


def detect(usage: AccountUsage, *, least_texts: int = 10, ordinary_share: float = 0.4) -> Finding | None:
    """Strength grows with the share of such work and with how little wrapping, settings and subjects vary;
    asking for the reasoning behind it takes away from that.
    """
    if usage.texts < least_texts or usage.work_share <= ordinary_share or usage.making_share > 0.2:
        return None
    wrapped = max(usage.top_system_share, usage.top_template_share)
    uniform = max(wrapped, ramp(usage.breadth or 1.0, 0.8, 0.6))
    one_answer = 1 - ramp(usage.mean_n, 1.5, 4)
    plain = 1 - usage.marker_share("reasoning")
    return Finding(
        strength=ramp(usage.work_share, ordinary_share, 0.9) * uniform * one_answer * plain,
        sentence=(
            f"{percent(usage.work_share)} of {usage.texts:,} prompts classify, translate, summarise, extract or "
            f"ask about given text; {percent(wrapped)} share one prompt template or system prompt."
        ),
        evidence={
            "texts": usage.texts,
            "work_share": usage.work_share,
            "top_template_share": usage.top_template_share,
            "top_system_share": usage.top_system_share,
        },
    )
