"""What people can say about which accounts belong together. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Belonging(StrEnum):
    """What a rule says. The values are stored."""

    TOGETHER = "together"
    APART = "apart"


@dataclass(frozen=True)
class HandMadeRule:
    """`accounts` belong together, or apart from `others`, by account id."""

    belonging: Belonging
    accounts: frozenset[int]
    others: frozenset[int] = frozenset()
