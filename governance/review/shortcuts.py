"""The keyboard shortcuts, as the help lists them. Templates name them in data-key; a test compares the two."""

from typing import Final, NamedTuple

from governance.review.models import ACTIONS
from governance.staff.roles import VIEW_ACCOUNTS, VIEW_ENFORCEMENT, VIEW_POLICIES, VIEW_SETTINGS, WORK_CASES


class Shortcut(NamedTuple):
    """Keys to press one after the other, or where `are` is given the first to the last of several, and what they do.

    `permission` is what somebody needs for it.
    """

    keys: tuple[str, ...]
    does: str
    are: str = ""
    permission: str = ""


MOVING: Final = (
    Shortcut(("j", "k"), "next or previous case in the list, or member of a campaign (or arrow keys)"),
    Shortcut(("Enter",), "open the case"),
    Shortcut(("x",), "tick the case, account or member, to decide about many at once", permission=WORK_CASES),
    Shortcut(("g", "o"), "go to the overview"),
    Shortcut(("g", "n"), "go to the next case"),
    Shortcut(("g", "q"), "go to the queue"),
    Shortcut(("g", "d"), "go to decided cases"),
    Shortcut(("g", "a"), "go to accounts", permission=VIEW_ACCOUNTS),
    Shortcut(("g", "i"), "go to the inbox"),
    Shortcut(("g", "e"), "go to enforcement", permission=VIEW_ENFORCEMENT),
    Shortcut(("g", "p"), "go to policy", permission=VIEW_POLICIES),
    Shortcut(("g", "s"), "go to settings", permission=VIEW_SETTINGS),
    Shortcut(("/",), "search in this list"),
    Shortcut(("Ctrl", "K"), "search everything, go to any page, do any action", permission=VIEW_ACCOUNTS),
)
WORKING: Final = (
    Shortcut(("c",), "claim or release the case"),
    Shortcut(("d",), "decide; in a list, decide about what is ticked"),
    Shortcut(("1", str(len(ACTIONS))), ", ".join(action.label.lower() for action in ACTIONS), are="–"),
    Shortcut(("digit",), "then the digit of a reason, then the action's digit again to send"),
    Shortcut(("Esc",), "choose again from the start"),
    Shortcut(("n",), "decide and go on to the next case; after a decision, the next case"),
    Shortcut(("u",), "undo the decision, or the last one you made"),
    Shortcut(("h",), "put the case on hold"),
    Shortcut(("a",), "assign the case"),
    Shortcut(("e",), "escalate the case to leads, or answer as a lead"),
    Shortcut(("s",), "skip the case"),
    Shortcut(("w",), "write a note"),
    Shortcut(("Ctrl", "Enter"), "send the form"),
    Shortcut(("?",), "this list"),
)
