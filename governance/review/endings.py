"""What a decision ends, as pages list it."""

from collections.abc import Sequence
from typing import NamedTuple

from governance.restrictions.models import Restriction


class EndingGroup(NamedTuple):
    """Restrictions of one decision and kind that end together: whom the first is against, and how many there are."""

    kind: str
    target: str
    size: int


def group_endings(restrictions: Sequence[Restriction]) -> list[EndingGroup]:
    together: dict[tuple[str, str], list[Restriction]] = {}
    for one in restrictions:
        together.setdefault((one.kind, one.origin), []).append(one)
    return [EndingGroup(kind, str(some[0].target), len(some)) for (kind, _), some in together.items()]
