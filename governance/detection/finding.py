"""Findings: what a detector reports, and how its figures are written."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from enum import StrEnum
from math import isclose
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None


class Family(StrEnum):
    """A kind of evidence. All findings of a family may have one harmless cause, so none decides alone."""

    CONTENT = "content"
    SHAPE = "shape"
    RHYTHM = "rhythm"
    IDENTITY = "identity"
    TOGETHER = "together"
    ANSWERS = "answers"
    PARTNERS = "partners"
    HARMLESS = "harmless"


# Kinds of evidence that no automatic restriction counts: how much they say was never measured.
UNMEASURED: Final = frozenset({Family.ANSWERS, Family.PARTNERS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a detector found in an account's usage.

    `strength` is 0 to 1; `sentence` is plain English with its figures, fit to be read to the customer;
    `evidence` holds these figures flat, as JSON scalars; `harmless` is the likeliest innocent reason. The
    last five members are the detector's own and filled in from its file.
    """

    strength: float
    sentence: str
    evidence: Mapping[str, Scalar] = field(default_factory=dict)
    detector: str = ""
    title: str = ""
    family: Family = Family.CONTENT
    version: int = 0
    harmless: str = ""

    def __post_init__(self) -> None:
        """Refuse a strength outside 0 to 1: it would forge points."""
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength {self.strength} is not between 0 and 1")


def ramp(value: float, start: float, full: float) -> float:
    """Return 0 up to `start`, 1 from `full` on, linear in between. With `start` above `full` it falls instead.

    >>> ramp(3, 1, 5)
    0.5
    >>> ramp(3, 5, 1), ramp(9, 1, 5)
    (0.5, 1.0)
    """
    return min(1.0, max(0.0, (value - start) / (full - start)))


def days(number: float) -> str:
    """Return a number of days in words, rounded.

    >>> days(1.2), days(3)
    ('1 day', '3 days')
    """
    whole = round(number)
    return "1 day" if whole == 1 else f"{whole} days"


def name_sample(of: str, sample: Sized | int) -> str:
    """Return the name of what was sampled with the size of the sample; only the name where the sample is empty.

    >>> name_sample("prompts", 1_200), name_sample("in its prompts", [7, 8]), name_sample("prompts", [])
    ('1,200 sampled prompts', 'in its prompts (2 sampled)', 'prompts')
    """
    number = sample if isinstance(sample, int) else len(sample)
    if not number:
        return of
    return f"{of} ({number:,} sampled)" if of.startswith("in ") else f"{number:,} sampled {of}"


def percent(share: float) -> str:
    """Return a share from 0 to 1 in whole percent. Just below 1 is not called 100 %, nor just above 0 called 0 %.

    >>> percent(0.984), percent(0.999), percent(1.0), percent(0.001)
    ('98 %', 'over 99 %', '100 %', 'under 1 %')
    """
    whole = round(100 * share)
    if whole == 100 and not isclose(share, 1):
        return "over 99 %"
    return "under 1 %" if whole == 0 and share > 0 else f"{whole} %"


def at_least(share: float) -> str:
    """Return a share from 0 to 1 of which it is only known that it is no less, to be followed by "of".

    >>> at_least(0.88), at_least(1.0)
    ('at least 88 %', 'all')
    """
    return "all" if isclose(share, 1) else f"at least {percent(share)}"
