"""Matches its declared use.

What the customer declared at sign-up fits what is seen. Declarations are easily made, so this counts for
little.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 2
WEIGHT: Final = -8
HARMLESS: Final = "This is evidence for the account, and weak: a declaration is easily made."

# Words of a declaration, and the share that then should be high.
FITTING: Final = (
    (("support", "chat", "assistant", "platform", "education", "tutor"), "conversation_share"),
    (("support", "platform", "copilot", "app"), "end_user_share"),
    (("agent", "automation"), "tools_share"),
    (("extract", "classif", "moderation", "structured"), "structured_share"),
    (("translat", "localis", "localiz"), "marker:translate"),
    (("classif", "moderation", "tagging"), "marker:classify"),
    (("summar", "notes", "minutes"), "marker:summarise"),
    (("evaluat", "benchmark"), "marker:benchmark"),
    (("cod", "develop", "program", "sql", "analytic"), "marker:code"),
    (("rag", "document", "search", "question answering", "knowledge"), "marker:context"),
)


def detect(usage: AccountUsage, *, least_events: int = 10, least_share: float = 0.5) -> Finding | None:
    """Strength is the largest share of what the declaration would make one expect."""
    declared = usage.facts.declared_use.lower()
    if usage.events < least_events or not declared:
        return None
    expected = [name for words, name in FITTING if any(word in declared for word in words)]
    shares = {name: _share(usage, name) for name in expected}
    name = max(shares, key=lambda key: shares[key], default="")
    if not name or shares[name] < least_share:
        return None
    # Markers are of the requests that came with text.
    number, of, counted = (
        (usage.texts, "prompts", "texts") if name.startswith("marker:") else (usage.events, "requests", "events")
    )
    return Finding(
        strength=shares[name],
        sentence=f"Declared as “{usage.facts.declared_use}”; {percent(shares[name])} of {number:,} {of} match that.",
        evidence={"declared_use": usage.facts.declared_use, "fits": name, "share": shares[name], counted: number},
    )


def _share(usage: AccountUsage, name: str) -> float:
    kind, _, marker = name.partition(":")
    return usage.marker_share(marker) if marker else float(getattr(usage, kind))
