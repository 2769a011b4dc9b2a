"""The kinds of restriction, from the mildest to the strongest: one KindInfo each.

Choices, the decision form, wording, icons and colours, the rules of policies, the checks of the API and what gateways
are sent follow from these. To add a kind, add it here and its code to `stillwatch_gateway.entries.KINDS`, and explain
it in `governance/web/glossary.py`; tests/restrictions/test_kinds.py checks each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from django.db import models

# Room for the code of a kind that is added later, so that it needs no migration.
LONGEST_KIND: Final = 32


class Withheld(models.TextChoices):
    """What the gateway leaves out of answers, or does not offer."""

    LOGPROBS = "logprobs", "Token probabilities"
    REASONING = "reasoning", "Reasoning text"
    NEW_MODELS = "new_models", "New models"


@dataclass(frozen=True, slots=True)
class Need:
    """Terms that only some kinds have. A kind with this need has at least one of `members`.

    `name` is the part of the decision form that asks for them, `message` what is said where all of them are missing.
    """

    name: str
    members: tuple[str, ...]
    message: str


LIMITS: Final = Need(
    "limits",
    ("requests_per_minute", "tokens_per_minute"),
    "Enter the allowed requests or tokens per minute.",
)
FEATURES: Final = Need("withheld", ("withheld",), "Choose the features to withhold.")
NEEDS: Final = (LIMITS, FEATURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindInfo:
    """What follows from a kind.

    Attributes:
        outcome: what an account is under it, in a word, such as "blocked".
        command: the button that decides it, with `{whom}` in the place of whom it is about.
        icon: a drawing in `static/icons.svg`.
        tone: a colour of `static/css/parts.css`.
        denies: whether gateways refuse access.
        is_noticed: whether customers notice it at all.
        need: the terms that it needs; it has none of any other need.
        needs_end: whether staff and policies must say how many days it lasts.
        needs_clause: whether staff must name the clause of the terms that was broken.
        warning: what staff reads before they confirm it; blank where nothing has to be confirmed.
        confirmation: the box that they check.
    """

    outcome: str
    command: str
    icon: str
    tone: str
    denies: bool = False
    is_noticed: bool = True
    need: Need | None = None
    needs_end: bool = False
    needs_clause: bool = False
    warning: str = ""
    confirmation: str = ""

    @property
    def form_parts(self) -> str:
        """The parts of the decision form that belong to it, separated by spaces."""
        parts = (self.need and self.need.name, self.needs_end and "days", self.warning and "warning")
        return " ".join(part for part in parts if part)


class RestrictionKind(models.TextChoices):
    """A kind of restriction. The codes are part of the API and of the feed; the order is that of strength."""

    info: KindInfo

    if not TYPE_CHECKING:  # a type checker would want the KindInfo wherever a kind is read from its code

        def __new__(cls, code: str, info: KindInfo) -> Self:
            kind = str.__new__(cls, code)
            kind._value_ = code
            kind.info = info
            return kind

    WATCH = (
        "watch",
        KindInfo(outcome="watched", command="Watch {whom}", icon="eye", tone="accent", is_noticed=False),
        "Watch",
    )
    WARN = "warn", KindInfo(outcome="warned", command="Warn {whom}", icon="horn", tone="elevated"), "Warn"
    THROTTLE = (
        "throttle",
        KindInfo(
            outcome="throttled",
            command="Throttle {whom}",
            icon="slow",
            tone="elevated",
            need=LIMITS,
            needs_clause=True,
        ),
        "Throttle",
    )
    WITHHOLD = (
        "withhold",
        KindInfo(
            outcome="features withheld",
            command="Withhold features of {whom}",
            icon="withhold",
            tone="elevated",
            need=FEATURES,
            needs_clause=True,
        ),
        "Withhold",
    )
    VERIFY = (
        "verify",
        KindInfo(outcome="to be verified", command="Require verification of {whom}", icon="badge", tone="elevated"),
        "Verify",
    )
    SUSPEND = (
        "suspend",
        KindInfo(
            outcome="suspended",
            command="Suspend {whom}",
            icon="pause",
            tone="high",
            denies=True,
            needs_end=True,
            needs_clause=True,
        ),
        "Suspend",
    )
    BLOCK = (
        "block",
        KindInfo(
            outcome="blocked",
            command="Block {whom}",
            icon="ban",
            tone="critical",
            denies=True,
            needs_clause=True,
            warning="Every gateway refuses the account, with all its keys, until the block is removed.",
            confirmation="Yes, block it",
        ),
        "Block",
    )


DENYING: Final = tuple(kind for kind in RestrictionKind if kind.info.denies)
NOT_NOTICED: Final = tuple(kind for kind in RestrictionKind if not kind.info.is_noticed)
STRENGTH: Final[Mapping[str, int]] = {kind.value: place for place, kind in enumerate(RestrictionKind)}


def kind_choices() -> list[tuple[str, str]]:
    """Return the choices of a model field: a function, so that a new kind needs no migration."""
    return RestrictionKind.choices


def kind_info(kind: str) -> KindInfo:
    """Return what follows from a kind; for one that only a newer release knows, a neutral KindInfo that names it."""
    if kind in STRENGTH:
        return RestrictionKind(kind).info
    return KindInfo(outcome=kind, command=kind, icon="warning", tone="elevated")


def kinds_with(need: Need) -> list[RestrictionKind]:
    """Return the kinds that have this need."""
    return [kind for kind in RestrictionKind if kind.info.need == need]


def missing_need(kind: str, terms: Mapping[str, Any]) -> Need | None:
    """Return what the kind needs and the terms lack; None where they have it."""
    need = kind_info(kind).need
    return need if need is not None and not any(terms.get(member) for member in need.members) else None


def foreign_terms(kind: str, terms: Mapping[str, Any]) -> dict[str, str]:
    """Return the members of the terms that do not belong to the kind, each with the kinds that it belongs to."""
    return {
        member: " or ".join(kinds_with(need))
        for need in NEEDS
        if need != kind_info(kind).need
        for member in need.members
        if terms.get(member)
    }
