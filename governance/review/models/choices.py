"""What can be decided about a case."""

from typing import Final, TypeAlias

from django.db import models

from governance.restrictions.kinds import KindInfo, RestrictionKind, kind_info

# `Restriction.origin` of what a decision puts into force begins so.
DECISIONS: Final = "decision:"


class Dismissal(models.TextChoices):
    """The action that restricts nobody. All others are kinds of restriction."""

    DISMISS = "dismiss", "Dismiss"


Action: TypeAlias = Dismissal | RestrictionKind
ACTIONS: Final[tuple[Action, ...]] = (Dismissal.DISMISS, *RestrictionKind)
DISMISSAL_ROW: Final = KindInfo(outcome="dismissed", command="Dismiss the case", icon="check", tone="good")


def action_choices() -> list[tuple[str, str]]:
    return [(action.value, str(action.label)) for action in ACTIONS]


def to_action(code: str) -> Action:
    return Dismissal.DISMISS if code == Dismissal.DISMISS else RestrictionKind(code)


def action_info(action: str) -> KindInfo:
    """Return what follows from an action: its words, its icon and what the decision form asks for."""
    return DISMISSAL_ROW if action == Dismissal.DISMISS else kind_info(action)
