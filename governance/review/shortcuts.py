"""The keyboard shortcuts, as the help lists them. Templates name them in data-key; a test holds the two together."""

from typing import Final, NamedTuple

from governance.review.models import ACTIONS
from governance.staff.roles import VIEW_ENFORCEMENT, VIEW_POLICIES


class Shortcut(NamedTuple):
    """Keys to press one after the other, or where `are` is given the first to the last of several, and what they do.

    `permission` is what somebody needs for it.
    """

    keys: tuple[str, ...]
    does: str
    are: str = ""
    permission: str = ""


MOVING: Final = (
    Shortcut(("j", "k"), "next, previous case in the list (or arrows)"),
    Shortcut(("Enter",), "open it"),
    Shortcut(("g", "n"), "from a case, go on to the next"),
    Shortcut(("g", "q"), "go to the queue"),
    Shortcut(("g", "d"), "go to what was decided"),
    Shortcut(("g", "e"), "go to enforcement", permission=VIEW_ENFORCEMENT),
    Shortcut(("g", "p"), "go to policy", permission=VIEW_POLICIES),
    Shortcut(("/",), "search"),
)
WORKING: Final = (
    Shortcut(("c",), "claim the case, or give it back"),
    Shortcut(("d",), "decide"),
    Shortcut(("1", str(len(ACTIONS))), ", ".join(action.label.lower() for action in ACTIONS), are="–"),
    Shortcut(("n",), "write a note"),
    Shortcut(("Ctrl", "Enter"), "send what you are writing"),
    Shortcut(("?",), "this list"),
)
