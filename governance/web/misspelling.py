"""The nearest right name for one that does not exist. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

# Of 1, how alike two names are at least (see difflib): delay and delay_minutes are 0.56, plan and name 0.5.
LEAST_ALIKE: Final = 0.55


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like this one, or "" where none is."""
    return next(iter(get_close_matches(name, [*known], n=1, cutoff=LEAST_ALIKE)), "")


def with_nearest(name: str, known: Iterable[str]) -> str:
    """Return the name with the nearest known one behind it, for a sentence that says that it does not exist."""
    nearest = nearest_name(name, known)
    return f"{name} (did you mean {nearest}?)" if nearest else name
