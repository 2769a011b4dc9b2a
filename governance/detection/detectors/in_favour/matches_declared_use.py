"""Matches its declared use.

What the customer declared at sign-up fits what is asked. Declarations are easily made, so this counts for little; that
fields are filled as the declaration would have them counts for nothing.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 3
WEIGHT: Final = -8
HARMLESS: Final = "This is evidence for the account, and weak: a declaration is easily made."

# Words of a declaration, and the marker whose share then should be high.
FITTING: Final = (
    (("extract", "structured"), "extract"),
    (("translat", "localis", "localiz"), "translate"),
    (("classif", "moderation", "tagging"), "classify"),
    (("summar", "notes", "minutes"), "summarise"),
    (("evaluat", "benchmark"), "benchmark"),
    (("cod", "develop", "program", "sql", "analytic"), "code"),
    (("rag", "document", "search", "question answering", "knowledge"), "context"),
)


def detect(usage: AccountUsage, *, least_texts: int = 10, least_share: float = 0.5) -> Finding | None:
    """Strength is the largest share of prompts that are what the declaration would make one expect."""
    declared = usage.facts.declared_use.lower()
    expected = [marker for words, marker in FITTING if any(word in declared for word in words)]
    if usage.texts < least_texts or not expected:
        return None
    fits = max(expected, key=usage.marker_share)
    share = usage.marker_share(fits)
    if share < least_share:
        return None
    return Finding(
        strength=share,
        sentence=f"Declared as “{usage.facts.declared_use}”; {percent(share)} of {usage.texts:,} prompts match that.",
        evidence={"declared_use": usage.facts.declared_use, "fits": fits, "share": share, "texts": usage.texts},
    )
