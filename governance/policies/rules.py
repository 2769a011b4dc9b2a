"""Versioned policies: which assessments may restrict by themselves, and how. Pure.

A policy is a TOML file: a `version`, and rules of which the first that fits an account counts. A rule's conditions all
have to hold; one that is not given holds for everybody. docs/policy.md has a complete example.

A file is refused, with the member and what it allows, where a rule could never apply: a name that does not exist, or
conditions that exclude each other.
"""

import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from governance.detection.finding import Family
from governance.detection.scoring import BANDS, REVIEW_LINE
from governance.restrictions.kinds import FEATURES, RestrictionKind, Withheld, foreign_terms, missing_need
from governance.restrictions.reasons import RESTRICTING
from governance.web.misspelling import with_nearest

ACTIONS: Final = tuple(RestrictionKind.values)
REASONS: Final = tuple(reason.value for reason in RESTRICTING)
WITHHELD: Final = tuple(Withheld.values)
# Findings of the harmless family never count against an account.
FAMILIES: Final = tuple(family.value for family in Family if family != Family.HARMLESS)
LONGEST_NAME: Final = 40
LONGEST_TEXT: Final = 120
LONGEST_DELAY: Final = timedelta(days=7)
HIGHEST_SCORE: Final = 100


def _highest_scores() -> dict[str, int]:
    """The highest score of each band."""
    highest, above = {}, HIGHEST_SCORE + 1
    for band, least in sorted(BANDS.items(), key=lambda one: -one[1]):
        highest[band.value], above = above - 1, least
    return highest


HIGHEST_OF_BAND: Final = _highest_scores()
# A score below the review line opens no case, and without a case nothing is restricted.
BANDS_WITH_CASES: Final = tuple(band for band, highest in reversed(HIGHEST_OF_BAND.items()) if highest >= REVIEW_LINE)
# The members of the file, and of each of its rules.
POLICY_MEMBERS: Final = ("version", "delay_minutes", "batch_minutes", "rule")
RULE_MEMBERS: Final = (
    *("name", "score", "bands", "families", "campaign_size", "plans", "events", "younger_than_days"),
    *("action", "requests_per_minute", "tokens_per_minute", "withheld", "days", "reason", "terms_clause"),
)


class PolicyError(Exception):
    """The file is no valid policy. The message names the rule, the member and what is allowed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule can look at. `families` are those of findings with points against the account."""

    score: int
    band: str
    families: frozenset[str]
    campaign_size: int
    plan: str
    licensed: bool
    events: int
    age: timedelta | None


@dataclass(frozen=True, slots=True)
class Action:
    """What is put into force."""

    kind: str
    reason: str
    terms_clause: str = ""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    withheld: tuple[str, ...] = ()
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    action: Action
    score: int = 0
    bands: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    campaign_size: int = 0
    plans: frozenset[str] = frozenset()
    events: int = 0
    younger_than: timedelta | None = None

    def fits(self, facts: Facts) -> bool:
        return (
            facts.score >= self.score
            and (not self.bands or facts.band in self.bands)
            and self.families <= facts.families
            and facts.campaign_size >= self.campaign_size
            and (not self.plans or facts.plan in self.plans)
            and facts.events >= self.events
            and (self.younger_than is None or (facts.age is not None and facts.age < self.younger_than))
        )


@dataclass(frozen=True, slots=True)
class Policy:
    version: str
    rules: tuple[Rule, ...]
    soonest: timedelta = timedelta(0)
    latest: timedelta = timedelta(0)
    batch: timedelta = timedelta(0)

    @property
    def least_score(self) -> int:
        """Below this score no rule fits."""
        return min(rule.score for rule in self.rules)

    @property
    def bands(self) -> frozenset[str]:
        """Outside of these no rule fits; empty where one fits in every band."""
        named = [rule.bands for rule in self.rules]
        return frozenset().union(*named) if all(named) else frozenset()

    def rule_for(self, facts: Facts) -> Rule | None:
        """The first rule that fits."""
        if facts.licensed:
            return None
        return next((rule for rule in self.rules if rule.fits(facts)), None)

    def due(self, *, now: datetime, chance: float) -> datetime:
        """When it is put into force; `chance` is between 0 and 1."""
        at = now + self.soonest + (self.latest - self.soonest) * chance
        if not self.batch:
            return at
        start = at.replace(hour=0, minute=0, second=0, microsecond=0)
        batches = -((start - at) // self.batch)  # rounded up
        return start + batches * self.batch


def read_policy(text: str) -> Policy:
    """Raises PolicyError."""
    try:
        given = tomllib.loads(text)
    except RecursionError as error:
        raise PolicyError("The policy: lists or tables are nested too deeply.") from error
    except ValueError as error:  # also of a number with thousands of digits
        raise PolicyError(f"Invalid TOML: {error}.") from error
    reader = _Reader("The policy", given, POLICY_MEMBERS)
    version = reader.text("version", needed=True, longest=LONGEST_NAME)
    soonest, latest = reader.delay("delay_minutes")
    batch = timedelta(minutes=reader.number("batch_minutes", most=1440) or 0)
    rules = reader.take("rule", [])
    if not isinstance(rules, list) or not rules:
        raise PolicyError("The policy: it has no rule. Begin each with [[rule]].")
    read = tuple(_rule(place, rule) for place, rule in enumerate(rules, start=1))
    return Policy(version, read, soonest, latest, batch)


def _rule(place: int, given: Any) -> Rule:
    reader = _Reader(f"Rule {place}", given, RULE_MEMBERS)
    name = reader.text("name", needed=True)
    action = _action(reader)
    days = reader.number("younger_than_days", least=1, most=36_500)
    rule = Rule(
        name=name,
        action=action,
        score=reader.number("score", most=HIGHEST_SCORE) or 0,
        bands=reader.texts("bands", among=BANDS_WITH_CASES),
        families=reader.texts("families", among=FAMILIES),
        campaign_size=reader.number("campaign_size") or 0,
        plans=reader.texts("plans"),
        events=reader.number("events") or 0,
        younger_than=timedelta(days=days) if days else None,
    )
    highest = max((HIGHEST_OF_BAND[band] for band in rule.bands), default=HIGHEST_SCORE)
    if rule.score > highest:
        raise reader.mistake(
            f"score {rule.score} and bands exclude each other, since the highest score of {_listed(rule.bands)} "
            f"is {highest}"
        )
    return rule


def _action(reader: "_Reader") -> Action:
    kind = reader.one_of("action", ACTIONS)
    action = Action(
        kind=kind,
        reason=reader.one_of("reason", REASONS),
        terms_clause=reader.text("terms_clause"),
        requests_per_minute=reader.number("requests_per_minute", least=1, most=1_000_000),
        tokens_per_minute=reader.number("tokens_per_minute", least=1, most=10**12),
        withheld=tuple(sorted(reader.texts("withheld", among=WITHHELD))),
        days=reader.number("days", least=1, most=365),
    )
    given = asdict(action)
    if (need := missing_need(kind, given)) is not None:
        allowed = f". Allowed: {_listed(WITHHELD)}" if need == FEATURES else ""
        raise reader.mistake(f"the action {kind} needs {' or '.join(need.members)}{allowed}")
    if RestrictionKind(kind).row.needs_end and action.days is None:
        raise reader.mistake(f"the action {kind} needs days")
    for member, kinds in foreign_terms(kind, given).items():
        raise reader.mistake(f"{member} belongs to the action {kinds}, not to {kind}")
    return action


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _is_name(value: object, longest: int = LONGEST_TEXT) -> bool:
    """Whether it is a text in one line, without control characters and without spaces around it."""
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable() and value == value.strip()


class _Reader:
    """Reads the members of a table, each of its kind.

    Refuses those that are not in `known` before all else, so that a misspelt member is named, and not the one that is
    missing because of it.
    """

    def __init__(self, name: str, given: Any, known: Sequence[str]) -> None:
        if not isinstance(given, dict):
            raise PolicyError(f"{name}: this is not a table. Begin each rule with [[rule]].")
        self._name, self._given = name, given
        if unknown := sorted(set(given).difference(known)):
            named = _listed(with_nearest(member, known) for member in unknown)
            raise self.mistake(f"{named} {'is' if len(unknown) == 1 else 'are'} not known. Allowed: {_listed(known)}")

    def mistake(self, what: str) -> PolicyError:
        return PolicyError(f"{self._name}: {what}.")

    def take(self, member: str, default: Any = None) -> Any:
        return self._given.get(member, default)

    def text(self, member: str, *, needed: bool = False, longest: int = LONGEST_TEXT) -> str:
        if not needed and member not in self._given:
            return ""
        value = self.take(member)
        if not _is_name(value, longest):
            raise self.mistake(
                f"{member} must be a text of 1 to {longest} characters, in one line and without spaces around it"
            )
        return str(value)

    def one_of(self, member: str, among: Iterable[str]) -> str:
        value = self.take(member)
        if value not in among:
            raise self.mistake(f"{member} must be one of {_listed(among)}")
        return str(value)

    def texts(self, member: str, among: Collection[str] = ()) -> frozenset[str]:
        """Empty where it is not given; `among` are those allowed, every text where there are none."""
        if member not in self._given:
            return frozenset()
        value = self.take(member)
        allowed = f". Allowed: {_listed(among)}" if among else ""
        if not isinstance(value, list) or not value or not all(_is_name(one) for one in value):
            raise self.mistake(f"{member} must be a list of at least one name{allowed}")
        if among and (unknown := set(value).difference(among)):
            raise self.mistake(f"{member} knows no {_listed(sorted(unknown))}{allowed}")
        return frozenset(value)

    def number(self, member: str, *, least: int = 0, most: int = 10**9) -> int | None:
        value = self.take(member)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.mistake(f"{member} must be a whole number from {least:,} to {most:,}")
        return value

    def delay(self, member: str) -> tuple[timedelta, timedelta]:
        value = self.take(member, [0, 0])
        whole = isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)
        if not whole or not 0 <= value[0] <= value[1] <= LONGEST_DELAY / timedelta(minutes=1):
            raise self.mistake(f"{member} must be two whole numbers, the smaller first, a week at most")
        return timedelta(minutes=value[0]), timedelta(minutes=value[1])
