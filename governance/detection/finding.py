"""What a detector saw."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from enum import StrEnum
from math import isclose
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None


class Family(StrEnum):
    """A kind of evidence. All findings of a family may have one harmless cause, so none decides alone."""

    CONTENT = "content"
    SHAPE = "shape"
    RHYTHM = "rhythm"
    IDENTITY = "identity"
    TOGETHER = "together"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing seen in an account's usage.

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
    """0 up to `start`, 1 from `full` on, straight in between; `start` above `full` makes it fall instead."""
    return min(1.0, max(0.0, (value - start) / (full - start)))


def days(number: float) -> str:
    """So many days as people say it: `1.2` is `1 day`."""
    whole = round(number)
    return "1 day" if whole == 1 else f"{whole} days"


def sample_of(of: str, sample: Sized | int) -> str:
    """A sample and its size: `300 sampled prompts`, `in its prompts (300 sampled)`; without one, only what it is of."""
    number = sample if isinstance(sample, int) else len(sample)
    if not number:
        return of
    return f"{of} ({number:,} sampled)" if of.startswith("in ") else f"{number:,} sampled {of}"


def percent(share: float) -> str:
    """A share as people say it: `0.984` is `98 %`; what is not quite all is not called all."""
    whole = round(100 * share)
    if whole == 100 and not isclose(share, 1):
        return "over 99 %"
    return "under 1 %" if whole == 0 and share > 0 else f"{whole} %"
