"""Decide whether a group of accounts is a campaign: whether their content, taken together, is a harvest's. Pure.

The members' content is pooled as the mean of their log-odds, which no single account can carry (they are limited). What
ties them together is not part of it: ties say who belongs together, content says what they do.

Look-alikes are watched instead, for a reason that is shown:

- one institution: most members have e-mail addresses of one small domain,
- the same prompts: members send what other members send too, as users of one public evaluation or tool do, while the
  accounts of a harvest divide the work; the more they repeat each other, the more their content has to show,
- an evaluation: short answers at low temperature under one opening.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from governance.campaigns.groups import FEWEST_WITH_TEXT, Basis, Candidates
from governance.campaigns.population import Numbers, Population
from governance.detection.finding import ramp

# The mean log-odds from which a group counts, and by how much more it counts in full.
LEAST_MEAN: Final = 0.7
FULL_ABOVE: Final = 0.8
# The share of members with text whose own log-odds are above even.
LEAST_POSITIVE: Final = 0.7
# Where the upper quartile of all groups is above even, the line is as much higher; with fewer groups it is not known.
FEWEST_GROUPS: Final = 20
UPPER_QUARTILE: Final = 0.75
# Members whose group's wrappers surely cover less of their prompts than this send cover traffic beside: the half with
# the highest log-odds is judged, and must reach more.
COVERED: Final = 0.2
LEAST_MEAN_OF_COVERED: Final = 1.5
LEAST_POSITIVE_OF_COVERED: Final = 0.5
# So few, whom nothing else ties, may only share a phrase, such as "think step by step": they must reach as much.
FEWEST_COVERED: Final = 8

MOST_ON_ONE_DOMAIN: Final = 0.6
# An e-mail domain of this many accounts is a public provider's.
PUBLIC_DOMAIN: Final = 40
# Below what the users of one evaluation reach though a stranger is among them (0.44), above what the accounts of a
# harvest do who happen to send the same (0.25). Users who have each run little of one evaluation reach 0.36, so below
# this the line rises: by so many nats for each share of prompts in common above what is usual.
MOST_OVERLAP: Final = 0.4
USUAL_OVERLAP: Final = 0.1
NATS_FOR_OVERLAP: Final = 4.0
MOST_EVALUATING: Final = 0.5

MEMBERS_COMPARED: Final = 25
PROMPTS_COMPARED: Final = 30


class Reason(StrEnum):
    """Why a group is watched and is no campaign. The values are stored."""

    CONTENT = "content"
    INSTITUTION = "institution"
    SAME_PROMPTS = "same prompts"
    EVALUATION = "evaluation"


@dataclass(frozen=True)
class Verdict:
    """What a group's content says.

    `mean` is over the log-odds of the `with_text` members judged, `positive` the share of them above even, `line` the
    mean from which this group counts, `others` how many it was compared with and `highest_other` the highest mean
    of those that are no campaigns; `overlap` is the share of a member's prompts that another member sent too, None
    where that was not looked at.
    """

    watched_for: Reason | None
    mean: float
    positive: float
    with_text: int
    line: float
    is_covered: bool = False
    overlap: float | None = None
    domain_share: float = 0.0
    others: int = 0
    highest_other: float | None = None

    @property
    def is_campaign(self) -> bool:
        return self.watched_for is None

    @property
    def strength(self) -> float:
        """How much the group counts against a member that surely belongs: 0.5 at the line to 1; 0 if it is watched."""
        return 0.5 + 0.5 * ramp(self.mean, self.line, self.line + FULL_ABOVE) if self.is_campaign else 0.0


# Sketches of the prompts of these rows, as unsigned 64-bit integers, those with the smallest hashes first.
Sketches = Callable[[Numbers], Sequence[Numbers]]


def assess_groups(population: Population, groups: Sequence[Candidates], sketches: Sketches) -> list[Verdict]:
    """Return a verdict for each group.

    Args:
        sketches: called once for each group that is a campaign unless its members send the same prompts.
    """
    pooled = [_pool(population, group) for group in groups]
    line = line_among([mean for mean, _, _ in pooled])
    public = _public_domains(population)
    verdicts = [
        _assess_group(population, group, figures, line=line, public=public, sketches=sketches)
        for group, figures in zip(groups, pooled, strict=True)
    ]
    watched = [verdict.mean for verdict in verdicts if not verdict.is_campaign]
    highest = max(watched, default=None)
    return [replace(verdict, others=len(groups) - 1, highest_other=highest) for verdict in verdicts]


def line_among(means: Sequence[float]) -> float:
    """Return the mean log-odds from which a group of these counts.

    The groups of the same traffic are the null model: most of them are customers of one tool, template or trade. Where
    these read like harvests too, as they do when an installation's customers are unlike those of the calibration, the
    line rises with them.

    >>> line_among([-2.0] * 30 + [2.0] * 4), line_among([-2.0] * 30 + [0.5] * 20)
    (0.7, 1.2)
    """
    if len(means) < FEWEST_GROUPS:
        return LEAST_MEAN
    return round(LEAST_MEAN + max(0.0, float(np.quantile(means, UPPER_QUARTILE))), 3)


def shared_prompt_share(sketches: Sequence[Numbers]) -> float:
    """Return the share of a member's prompts that another member sent too, on average.

    Sketches are compared whole: those of short tasks in one long wrapper, which share most of their words, differ in a
    bit or two.

    Args:
        sketches: of each member, unsigned 64-bit integers.

    >>> shared_prompt_share([np.array([1, 2], np.uint64), np.array([2], np.uint64)])
    0.75
    """
    shares = []
    for place, own in enumerate(sketches):
        others = [*sketches[:place], *sketches[place + 1 :]]
        if not len(own) or not sum(map(len, others)):
            continue
        shares.append(float(np.isin(own, np.concatenate(others)).mean()))
    return float(np.mean(shares)) if shares else 0.0


def _pool(population: Population, group: Candidates) -> tuple[float, float, bool]:
    """Return mean log-odds, share above even, and whether only the half with the highest was judged."""
    odds = np.sort(population.log_odds[group.rows[population.has_text[group.rows]]])
    if not len(odds):  # which only people put together
        return 0.0, 0.0, False
    mean, positive = float(odds.mean()), float((odds > 0).mean())
    is_sure = group.hard_tied or len(odds) >= FEWEST_COVERED
    if (
        not is_sure
        or _covered_share(population, group) >= COVERED
        or (mean >= LEAST_MEAN and positive >= LEAST_POSITIVE)
    ):
        return mean, positive, False
    upper = odds[len(odds) // 2 :]
    if len(upper) >= FEWEST_WITH_TEXT and upper.mean() >= LEAST_MEAN_OF_COVERED:
        return float(upper.mean()), positive, True
    return mean, positive, False


def _is_loose(population: Population, group: Candidates, with_text: int) -> bool:
    """Return whether a few accounts have nothing in common but words that cover little of what they ask."""
    by_words = group.basis is Basis.WRAPPERS and not group.hard_tied
    return by_words and with_text < FEWEST_COVERED and _covered_share(population, group) < COVERED


def _covered_share(population: Population, group: Candidates) -> float:
    """Return the share of its prompts that a member opens in words of the group, on average."""
    return float(population.wrapped_shares(group.rows).mean())


def _assess_group(
    population: Population,
    group: Candidates,
    figures: tuple[float, float, bool],
    *,
    line: float,
    public: frozenset[str],
    sketches: Sketches,
) -> Verdict:
    mean, positive, is_covered = figures
    with_text = group.rows[population.has_text[group.rows]]
    share = _domain_share(population, group.rows, public)
    reason, overlap = None, None
    if _is_loose(population, group, len(with_text)):
        line = max(line, LEAST_MEAN_OF_COVERED)
    least = LEAST_POSITIVE_OF_COVERED if is_covered else LEAST_POSITIVE
    if mean < line or positive < least or len(with_text) < FEWEST_WITH_TEXT:
        reason = Reason.CONTENT
    elif share >= MOST_ON_ONE_DOMAIN:
        reason = Reason.INSTITUTION
    elif population.evaluating[with_text].mean() >= MOST_EVALUATING:
        reason = Reason.EVALUATION
    else:
        overlap = shared_prompt_share([some[:PROMPTS_COMPARED] for some in sketches(with_text[:MEMBERS_COMPARED])])
        line = round(line + NATS_FOR_OVERLAP * max(0.0, overlap - USUAL_OVERLAP), 3)
        reason = Reason.SAME_PROMPTS if overlap >= MOST_OVERLAP or mean < line else None
    return Verdict(reason, mean, positive, len(with_text), line, is_covered, overlap, share)


def _public_domains(population: Population) -> frozenset[str]:
    counted = Counter(population.domains)
    return frozenset(domain for domain, accounts in counted.items() if accounts >= PUBLIC_DOMAIN or not domain)


def _domain_share(population: Population, rows: Numbers, public: frozenset[str]) -> float:
    named = Counter(population.domains[row] for row in rows if population.domains[row] not in public)
    return max(named.values(), default=0) / len(rows)
