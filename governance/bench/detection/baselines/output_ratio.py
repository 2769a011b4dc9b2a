"""Output to input: who gets most for what it asks. A harvest pays for answers."""

from statistics import median

from governance.bench.detection.world import LabelledWorld


def scores(world: LabelledWorld) -> dict[str, float]:
    """The median ratio of output to input tokens of each account's requests."""
    return {
        account: median(out / max(given, 1) for given, out in sent.tokens) if sent.tokens else 0.0
        for account, sent in world.sent.items()
    }
