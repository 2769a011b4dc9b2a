"""Versioned policies: which assessments may restrict by themselves, and how. Pure.

A policy is a TOML file: a `version`, and rules of which the first that fits an account counts. All conditions of a rule
must hold; a condition that is not given holds for every account. docs/policy.md has a complete example.

A file is refused, with the member and what is allowed, if a rule could never apply: it names something that does not
exist, or its conditions exclude each other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct, field

from governance.detection.scoring import BANDS, REVIEW_LINE
from governance.restrictions.kinds import FEATURES, NEEDS, RestrictionKind, Withheld, foreign_terms, missing_need
from governance.restrictions.reasons import RESTRICTING, Reason
from governance.web.faults import plain_fault

LONGEST_NAME: Final = 40
LONGEST_TEXT: Final = 120
LONGEST_DELAY: Final = timedelta(days=7)
HIGHEST_SCORE: Final = 100


def _highest_scores() -> dict[str, int]:
    """Return the highest score of each band."""
    highest, above = {}, HIGHEST_SCORE + 1
    for band, least in sorted(BANDS.items(), key=lambda one: -one[1]):
        highest[band.value], above = above - 1, least
    return highest


HIGHEST_OF_BAND: Final = _highest_scores()
# A score below the review line opens no case, and without a case nothing is restricted.
BANDS_WITH_CASES: Final = tuple(band for band, highest in reversed(HIGHEST_OF_BAND.items()) if highest >= REVIEW_LINE)

# What members may hold. Python's types need the names themselves; tests compare them with those of detection.
BandWithCase = Literal["elevated", "high", "critical"]
FamilyAgainst = Literal["content", "shape", "rhythm", "identity", "together", "answers"]


def _text(longest: int) -> Any:
    said = f"a text of 1 to {longest} characters, in one line and without spaces around it"
    return Meta(min_length=1, max_length=longest, description=said)


def _some_of(names: str) -> Any:
    return Meta(min_length=1, description=f"a list of at least one name{names}")


def _allowed_names(names: tuple[str, ...]) -> str:
    return f". Allowed: {', '.join(names)}"


Text = Annotated[str, _text(LONGEST_TEXT)]
Bands = Annotated[frozenset[BandWithCase], _some_of(_allowed_names(get_args(BandWithCase)))]
Families = Annotated[frozenset[FamilyAgainst], _some_of(_allowed_names(get_args(FamilyAgainst)))]
Plans = Annotated[frozenset[Text], _some_of("")]
Features = Annotated[frozenset[Withheld], _some_of(_allowed_names(tuple(Withheld.values)))]
REASONS: Final = f"one of {', '.join(reason.value for reason in RESTRICTING)}"
ReasonToRestrict = Annotated[Reason, Meta(description=REASONS)]
Score = Annotated[int, Meta(ge=0, le=HIGHEST_SCORE)]
Count = Annotated[int, Meta(ge=0, le=10**9)]
DELAY: Final = "two whole numbers, the smaller first, a week at most"
Delay = Annotated[tuple[int, int], Meta(description=DELAY)]


class PolicyError(Exception):
    """The file is no valid policy. The message names the rule, the member and what is allowed."""


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What a rule looks at. `families` are those of findings with points against the account."""

    score: int
    band: str
    families: frozenset[str]
    campaign_size: int
    plan: str
    licensed: bool
    events: int
    age: timedelta | None


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table [[rule]] of the file: its conditions, and the restriction of accounts that meet them."""

    name: Text
    score: Score = 0
    bands: Bands = frozenset()
    families: Families = frozenset()
    campaign_size: Count = 0
    plans: Plans = frozenset()
    events: Count = 0
    younger_than_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None

    action: RestrictionKind
    requests_per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    tokens_per_minute: Annotated[int, Meta(ge=1, le=10**12)] | None = None
    withheld: Features = frozenset()
    days: Annotated[int, Meta(ge=1, le=365)] | None = None
    reason: ReasonToRestrict
    terms_clause: Text = ""

    def __post_init__(self) -> None:
        if fault := next(_faults(self), ""):
            raise ValueError(fault)

    def fits(self, facts: PolicyFacts) -> bool:
        age = timedelta(days=self.younger_than_days) if self.younger_than_days else None
        return (
            facts.score >= self.score
            and (not self.bands or facts.band in self.bands)
            and self.families <= facts.families
            and facts.campaign_size >= self.campaign_size
            and (not self.plans or facts.plan in self.plans)
            and facts.events >= self.events
            and (age is None or (facts.age is not None and facts.age < age))
        )


RuleTable = Annotated[Rule, Meta(description="a table, begun with [[rule]]")]


class PolicyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    version: Annotated[str, _text(LONGEST_NAME)]
    delay_minutes: Delay = (0, 0)
    batch_minutes: Annotated[int, Meta(ge=0, le=1_440)] = 0
    rules: Annotated[tuple[RuleTable, ...], Meta(description="one or more tables, each begun with [[rule]]")] = field(
        name="rule", default=()
    )

    def __post_init__(self) -> None:
        if not _is_one_line(self.version):
            raise ValueError("version must be a text in one line, without spaces around it")
        soonest, latest = self.delay_minutes
        if not 0 <= soonest <= latest <= LONGEST_DELAY / timedelta(minutes=1):
            raise ValueError(f"delay_minutes must be {DELAY}")
        if not self.rules:
            raise ValueError("it has no rule. Begin each with [[rule]]")

    @property
    def least_score(self) -> int:
        """Below this score no rule fits."""
        return min(rule.score for rule in self.rules)

    @property
    def bands(self) -> frozenset[str]:
        """Outside of these no rule fits; empty if one fits in every band."""
        named = [rule.bands for rule in self.rules]
        return frozenset().union(*named) if all(named) else frozenset()

    def rule_for(self, facts: PolicyFacts) -> Rule | None:
        """Return the first rule that fits."""
        if facts.licensed:
            return None
        return next((rule for rule in self.rules if rule.fits(facts)), None)

    def due_at(self, *, now: datetime, chance: float) -> datetime:
        """Return when a restriction that is planned `now` begins; `chance`, from 0 to 1, chooses within the delay."""
        soonest, latest = self.delay_minutes
        at = now + timedelta(minutes=soonest) + timedelta(minutes=latest - soonest) * chance
        if not self.batch_minutes:
            return at
        batch = timedelta(minutes=self.batch_minutes)
        start = at.replace(hour=0, minute=0, second=0, microsecond=0)
        batches = -((start - at) // batch)  # rounded up
        return start + batches * batch


def parse_policy(text: str) -> PolicyFile:
    """Return the policy that a file describes. Raises PolicyError."""
    try:
        return msgspec.toml.decode(text, type=PolicyFile)
    except RecursionError as error:
        raise PolicyError("The policy: lists or tables are nested too deeply.") from error
    except msgspec.ValidationError as error:
        raise PolicyError(f"{_name_place(plain_fault(error, PolicyFile))}.") from error
    except ValueError as error:  # also a number with thousands of digits
        raise PolicyError(f"Invalid TOML: {error}.") from error


def _name_place(fault: str) -> str:
    """Name the place in words: "Rule 1: plans must be …" for "rule[0].plans[2] must be …"."""
    found = re.fullmatch(r"rule\[(\d+)\](\.|: | )(.*)", fault, re.DOTALL)
    if found is None:
        return f"The policy: {_without_index(fault)}"
    return f"Rule {int(found[1]) + 1}{' ' if found[2] == ' ' else ': '}{_without_index(found[3])}"


def _without_index(fault: str) -> str:
    return re.sub(r"^(\w+)\[\d+\]", r"\1", fault)


def _faults(rule: Rule) -> Iterator[str]:
    """What members of the right types can still have wrong."""
    texts = [("name", rule.name), ("terms_clause", rule.terms_clause), *(("plans", plan) for plan in rule.plans)]
    for member, text in texts:
        if not _is_one_line(text):
            yield f"{member} must be a text in one line, without spaces around it"
    highest = max((HIGHEST_OF_BAND[band] for band in rule.bands), default=HIGHEST_SCORE)
    if rule.score > highest:
        yield (
            f"score {rule.score} and bands exclude each other, since the highest score of "
            f"{', '.join(sorted(rule.bands))} is {highest}"
        )
    yield from _faults_of_terms(rule)


def _faults_of_terms(rule: Rule) -> Iterator[str]:
    kind, given = rule.action, {member: getattr(rule, member) for need in NEEDS for member in need.members}
    if rule.reason not in RESTRICTING:
        yield f"reason must be {REASONS}"
    if (need := missing_need(kind, given)) is not None:
        allowed = _allowed_names(tuple(Withheld.values)) if need == FEATURES else ""
        yield f"the action {kind} needs {' or '.join(need.members)}{allowed}"
    if kind.info.needs_end and rule.days is None:
        yield f"the action {kind} needs days"
    for member, kinds in foreign_terms(kind, given).items():
        yield f"{member} belongs to the action {kinds}, not to {kind}"


def _is_one_line(text: str) -> bool:
    """Whether it has no control characters, line breaks included, and no spaces around it."""
    return text.isprintable() and text == text.strip()
