"""Volume: who sends most. The rule that rate limits and bills apply."""

from governance.bench.detection.world import LabelledWorld


def scores(world: LabelledWorld) -> dict[str, float]:
    """Requests of each account."""
    return {account: float(len(sent.tokens)) for account, sent in world.sent.items()}
