"""Members of JSON objects. Pure."""

from collections import Counter
from typing import Any, Final

LONGEST_SHOWN: Final = 120  # of names in a message


class RepeatedMemberError(ValueError):
    """A member stands in one object more than once: whichever counted, it might be the one that was not meant."""


def object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For `json.loads(object_pairs_hook=...)`: the object with these members. Raises RepeatedMemberError."""
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        names = ", ".join(ascii(name[:LONGEST_SHOWN]) for name, count in counts.items() if count > 1)
        raise RepeatedMemberError(f"{names[:LONGEST_SHOWN]} is given more than once. Give each member once.")
    return members
