"""Why answers ended, in the spellings of providers and instrumentations. Pure."""

import re
from collections.abc import Iterator
from typing import Any, Final

REFUSED: Final = {
    "contentfilter", "contentfiltered", "refusal", "safety", "prohibitedcontent", "blocklist", "guardrailintervened",
    "recitation", "spii", "imagesafety", "imageprohibitedcontent", "imagerecitation",
}  # fmt: skip
# As text, as a list in JSON or with commas, as a member of an enumeration.
_REASON: Final = re.compile(r"[\w. -]+")
_BETWEEN_WORDS: Final = re.compile("[ _-]")


def is_refusal(value: Any) -> bool:
    """Return True if one of these reasons is that the model, or a filter around it, refused."""
    return not REFUSED.isdisjoint(_reasons_in(value))


def _reasons_in(value: Any) -> Iterator[str]:
    """The reasons in lower case and without what stands between their words."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, list):
            yield from _reasons_in(one)
        for reason in _REASON.findall(one) if isinstance(one, str) else ():
            yield _BETWEEN_WORDS.sub("", reason.rpartition(".")[2].lower())
