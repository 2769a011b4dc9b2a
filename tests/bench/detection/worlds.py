"""Worlds in which everybody's part is known."""

from random import Random

from governance.bench.detection.world import LabelledWorld, Sent, WorldLabel

KITCHEN = ("garlic", "onion", "basil", "butter", "oven", "dough", "soup", "salt", "roast", "lemon", "rice", "sauce")
LAW = ("contract", "tenant", "clause", "court", "deposit", "notice", "appeal", "lease", "liable", "damages", "judge")
SEA = ("anchor", "harbour", "tide", "sail", "keel", "mast", "wind", "buoy", "rope", "current", "dock", "compass")


def world(*accounts: tuple[WorldLabel, Sent]) -> LabelledWorld:
    return LabelledWorld(
        {label.account: label for label, _ in accounts}, {label.account: sent for label, sent in accounts}
    )


def customer(
    name: str,
    label: str = "benign",
    *,
    family: str = "support_bot",
    texts: list[str] | None = None,
    tokens: list[tuple[int, int]] | None = None,
) -> tuple[WorldLabel, Sent]:
    """Somebody; what they sent is not the test's point unless it is given."""
    kept = "metadata_only" if texts is None else "text"
    return (
        WorldLabel(name, label, family, text=kept),
        Sent(tokens=tokens or [(100, 50)] * len(texts or [""]), texts=texts or []),
    )


def questions(words: tuple[str, ...], *, count: int, name: str) -> list[str]:
    """Questions on a subject, of five to twelve of its words; somebody else's are others."""
    dice = Random(name)
    return [f"How do I {' '.join(dice.choices(words, k=dice.randint(5, 12)))}?" for _ in range(count)]
