"""How today's customers differ from those a calibration was made for. Pure.

A calibration file holds how its customers were distributed, as shares of accounts by score, by content and by what was
found in them (`Reference`). Today's assessments are counted alike, and each figure is compared by the population
stability index, Σ (a - e) ln(a / e) over its groups (Siddiqi 2006, Credit Risk Scorecards). Up to 0.1 it is called
stable, from 0.25 on moved. Few accounts differ by chance: without any drift the index divided by 1/n + 1/m follows
chi-squared, with a degree of freedom less than groups (Yurdakul 2018, Statistical Properties of Population Stability
Index). Below its 99th percentile every figure is stable.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from math import log
from typing import Annotated, Final, NamedTuple

import msgspec
from scipy.special import chdtri

from governance.detection.finding import Family, percent

# Fewer accounts on either side are not compared.
FEWEST: Final = 100
WATCH: Final = 0.1
MOVED: Final = 0.25
_BY_CHANCE: Final = 0.99

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The customers of a calibration: how many accounts, and for each figure the share of them in each group."""

    accounts: Annotated[int, msgspec.Meta(ge=1)]
    figures: dict[str, list[Share]]


class AssessedAccount(NamedTuple):
    """What is counted of an account: its assessment. `found` are the detectors with a finding, and their families."""

    score: int
    texts: int
    content_log_odds: float | None
    found: Mapping[str, str]


class Verdict(StrEnum):
    """What the index of a figure says."""

    STABLE = "stable"
    WATCH = "watch"
    MOVED = "moved"


class RangeShares(NamedTuple):
    """A range of values of a figure: the share of accounts in it then, and today, from 0 to 1."""

    name: str
    then: float
    now: float

    @property
    def then_percent(self) -> str:
        return percent(self.then)

    @property
    def now_percent(self) -> str:
        return percent(self.now)


class DriftLine(NamedTuple):
    """One figure compared; `psi` is its population stability index."""

    title: str
    groups: Sequence[RangeShares]
    psi: float
    verdict: Verdict

    @property
    def is_share(self) -> bool:
        """Whether there are accounts with it and without it, and nothing between."""
        return len(self.groups) == len(_YES_OR_NO)


_SCORE_EDGES: Final = (1, 10, 25, 50, 68, 85)
_SCORES: Final = ("0", "1 to 9", "10 to 24", "25 to 49", "50 to 67", "68 to 84", "85 to 100")
_CONTENT_EDGES: Final = (-3, -2, -1, 0, 1, 2)
_CONTENT: Final = ("under -3", "-3 to -2", "-2 to -1", "-1 to 0", "0 to 1", "1 to 2", "2 and over")
_YES_OR_NO: Final = ("without", "with")
_FAMILY: Final = "family_"
_FINDING: Final = "finding_"


def build_reference(accounts: Collection[AssessedAccount], detectors: Iterable[str]) -> Reference | None:
    """Return how these accounts are distributed; None where there are too few to compare with."""
    if len(accounts) < FEWEST:
        return None
    counts = count_groups(accounts, detectors)
    shares = {name: [round(number / (sum(groups) or 1), 6) for number in groups] for name, groups in counts.items()}
    return Reference(len(accounts), shares)


def count_groups(accounts: Iterable[AssessedAccount], detectors: Iterable[str]) -> dict[str, list[int]]:
    """Return how many accounts are in each group of each figure.

    >>> one = AssessedAccount(60, 12, 0.5, {"known_corpus": "content"})
    >>> counted = count_groups([one], ["known_corpus"])
    >>> counted["score"], counted["texts"], counted["finding_known_corpus"]
    ([0, 0, 0, 0, 1, 0, 0], [0, 1], [0, 1])
    """
    counts = {"score": [0] * len(_SCORES), "texts": [0, 0], "content": [0] * len(_CONTENT)}
    counts |= {f"{_FAMILY}{family}": [0, 0] for family in Family} | {f"{_FINDING}{name}": [0, 0] for name in detectors}
    for one in accounts:
        counts["score"][bisect_right(_SCORE_EDGES, one.score)] += 1
        counts["texts"][one.texts > 0] += 1
        if one.content_log_odds is not None:
            counts["content"][bisect_right(_CONTENT_EDGES, one.content_log_odds)] += 1
        has = {f"{_FINDING}{name}" for name in one.found} | {f"{_FAMILY}{family}" for family in one.found.values()}
        for name in counts:
            if name.startswith((_FAMILY, _FINDING)):
                counts[name][name in has] += 1
    return counts


def compare(reference: Reference, today: Collection[AssessedAccount], titles: Mapping[str, str]) -> Iterator[DriftLine]:
    """Yield each figure that both sides have, the score first; `titles` are those of the detectors, by name.

    A figure is missing from the reference where its detector is newer than the calibration.
    """
    counts = count_groups(today, titles)
    for name, groups in counts.items():
        then = reference.figures.get(name)
        if then is None or len(then) != len(groups) or not sum(then) or not sum(groups):
            continue
        # Of accounts with text alone, where the figure is of the text.
        then_of, now_of = _accounts(reference, name), sum(groups)
        now = [number / now_of for number in groups]
        index = stability_index(then, now, then_of=then_of, now_of=now_of)
        verdict = get_verdict(index, groups=len(groups), then_of=then_of, now_of=now_of)
        compared = map(RangeShares, _group_names(name), then, now)
        yield DriftLine(_title(name, titles), [*compared], index, verdict)


def stability_index(then: Sequence[float], now: Sequence[float], *, then_of: float, now_of: float) -> float:
    """Return the population stability index of two distributions, of so many accounts; 0 where they are the same.

    Half an account is added to each group, so that an empty one gives no infinite index.

    >>> round(stability_index([0.5, 0.5], [0.5, 0.5], then_of=1000, now_of=500), 3)
    0.0
    >>> round(stability_index([0.9, 0.1], [0.7, 0.3], then_of=1e6, now_of=1e6), 3)
    0.27
    """
    expected, actual = _smooth(then, then_of), _smooth(now, now_of)
    return sum((a - e) * log(a / e) for e, a in zip(expected, actual, strict=True))


def get_verdict(index: float, *, groups: int, then_of: float, now_of: float) -> Verdict:
    """Return what an index says of figures with so many groups."""
    by_chance = float(chdtri(groups - 1, 1 - _BY_CHANCE)) * (1 / then_of + 1 / now_of)
    if index < max(WATCH, by_chance):
        return Verdict.STABLE
    return Verdict.WATCH if index < MOVED else Verdict.MOVED


def _smooth(shares: Sequence[float], of: float) -> list[float]:
    return [(share * of + 0.5) / (of + 0.5 * len(shares)) for share in shares]


def _accounts(reference: Reference, name: str) -> float:
    """Return of how many accounts a figure of the reference is: that of content only of those with text."""
    of_texts = reference.figures.get("texts", [0.0, 1.0])[-1]
    return max(1.0, reference.accounts * (of_texts if name == "content" else 1.0))


def _group_names(name: str) -> Sequence[str]:
    return {"score": _SCORES, "content": _CONTENT}.get(name, _YES_OR_NO)


def _title(name: str, titles: Mapping[str, str]) -> str:
    if name.startswith(_FAMILY):
        family = name.removeprefix(_FAMILY)
        return "Evidence in favour" if family == Family.HARMLESS else f"Evidence of the family {family}"
    fixed = {"score": "Score", "texts": "Text was read", "content": "Content, as log-odds of a harvest"}
    return fixed.get(name) or titles[name.removeprefix(_FINDING)]
