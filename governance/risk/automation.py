"""Versioned policies: which assessments may restrict by themselves, and how. Pure.

A policy is a TOML file: a `version`, and rules of which the first that fits an account counts. A rule's conditions all
have to hold; one that is not given holds for everybody.

    version = "2026-12"
    delay_minutes = [10, 240]          # at random between these, so that nobody finds the rule by trial; default [0, 0]
    batch_minutes = 60                 # and then together with others, on the hour; default 0

    [[rule]]
    name = "Large campaigns on free plans"
    score = 85                         # at least
    bands = ["critical"]
    families = ["content", "campaign"] # each with points against the account
    campaign_size = 10                 # at least; 0 for those in no campaign too
    plans = ["free"]
    events = 500                       # at least, in the window
    younger_than_days = 30
    action = "throttle"                # watch, warn, throttle, withhold, verify, suspend, block
    requests_per_minute = 5
    reason = "coordinated_accounts"
    terms_clause = "3.1 One customer, one account"

Nothing follows for a licensed distiller, nor for an account that has no case: a person always sees whom a policy hits.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from governance.risk.scoring import Band

ACTIONS: Final = ("watch", "warn", "throttle", "withhold", "verify", "suspend", "block")
# The codes of the API, which a person's decision has as well.
REASONS: Final = (
    *("bulk_harvest", "reasoning_harvest", "data_generation", "coordinated_accounts", "resold_access"),
    *("unverified_identity", "other"),
)
WITHHELD: Final = ("logprobs", "reasoning", "new_models")
LONGEST_NAME: Final = 40
LONGEST_DELAY: Final = timedelta(days=7)


class PolicyError(Exception):
    """The file does not say what a policy says: names the rule and the member."""


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
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"This is no TOML: {error}.") from error
    reader = _Reader("The policy", given)
    version = reader.text("version", needed=True)
    if len(version) > LONGEST_NAME:
        raise PolicyError(f"The policy: version has at most {LONGEST_NAME} characters.")
    soonest, latest = reader.delay("delay_minutes")
    batch = timedelta(minutes=reader.number("batch_minutes", most=1440) or 0)
    rules = reader.take("rule", [])
    reader.nothing_else()
    if not isinstance(rules, list) or not rules:
        raise PolicyError("The policy: it has no rule.")
    read = tuple(_rule(place, rule) for place, rule in enumerate(rules, start=1))
    return Policy(version, read, soonest, latest, batch)


def _rule(place: int, given: Any) -> Rule:
    reader = _Reader(f"Rule {place}", given)
    action = Action(
        kind=reader.one_of("action", ACTIONS),
        reason=reader.one_of("reason", REASONS),
        terms_clause=reader.text("terms_clause"),
        requests_per_minute=reader.number("requests_per_minute", least=1),
        tokens_per_minute=reader.number("tokens_per_minute", least=1),
        withheld=tuple(sorted(reader.texts("withheld", among=WITHHELD))),
        days=reader.number("days", least=1, most=365),
    )
    days = reader.number("younger_than_days", least=1)
    rule = Rule(
        name=reader.text("name", needed=True),
        action=action,
        score=reader.number("score", most=100) or 0,
        bands=reader.texts("bands", among=[band.value for band in Band]),
        families=reader.texts("families"),
        campaign_size=reader.number("campaign_size") or 0,
        plans=reader.texts("plans"),
        events=reader.number("events") or 0,
        younger_than=timedelta(days=days) if days else None,
    )
    reader.nothing_else()
    if action.kind == "throttle" and not (action.requests_per_minute or action.tokens_per_minute):
        raise PolicyError(f"Rule {place}: a throttle needs requests_per_minute or tokens_per_minute.")
    if action.kind == "withhold" and not action.withheld:
        raise PolicyError(f"Rule {place}: say what is withheld.")
    if action.kind == "suspend" and action.days is None:
        raise PolicyError(f"Rule {place}: a suspension needs days.")
    return rule


class _Reader:
    """Takes members out of a table, each of its kind; what is left in the end is a mistake."""

    def __init__(self, name: str, given: Any) -> None:
        if not isinstance(given, dict):
            raise PolicyError(f"{name}: this is no table.")
        self._name, self._left = name, dict(given)

    def take(self, member: str, default: Any = None) -> Any:
        return self._left.pop(member, default)

    def nothing_else(self) -> None:
        if self._left:
            raise PolicyError(f"{self._name}: {', '.join(sorted(self._left))} is not known.")

    def text(self, member: str, *, needed: bool = False) -> str:
        value = self.take(member, "")
        if not isinstance(value, str) or len(value) > 120 or (needed and not value.strip()):
            raise PolicyError(f"{self._name}: {member} must be a text of at most 120 characters.")
        return value

    def one_of(self, member: str, among: Iterable[str]) -> str:
        value = self.text(member, needed=True)
        if value not in among:
            raise PolicyError(f"{self._name}: {member} must be one of {', '.join(among)}.")
        return value

    def texts(self, member: str, among: Iterable[str] | None = None) -> frozenset[str]:
        value = self.take(member, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise PolicyError(f"{self._name}: {member} must be a list of texts.")
        if among is not None and (unknown := set(value).difference(among)):
            raise PolicyError(f"{self._name}: {member} knows no {', '.join(sorted(unknown))}.")
        return frozenset(value)

    def number(self, member: str, *, least: int = 0, most: int = 10**9) -> int | None:
        value = self.take(member)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise PolicyError(f"{self._name}: {member} must be a whole number from {least} to {most}.")
        return value

    def delay(self, member: str) -> tuple[timedelta, timedelta]:
        value = self.take(member, [0, 0])
        whole = isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)
        if not whole or not 0 <= value[0] <= value[1] <= LONGEST_DELAY / timedelta(minutes=1):
            raise PolicyError(f"{self._name}: {member} must be two whole numbers, the smaller first, a week at most.")
        return timedelta(minutes=value[0]), timedelta(minutes=value[1])
