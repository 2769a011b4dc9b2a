"""Text of customers shown so that it changes nothing around it, on a terminal, in a log or on a page. Pure."""

import re
from typing import Final

# Control characters (C0, C1), marks that turn the direction of text, and what takes no room. Customers may put them
# into names to look like others, to hide, or to drive a terminal.
_INVISIBLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
_KEPT_IN_LINES: Final = "\n\t"


def escape_invisible(text: str) -> str:
    r"""Return text on one line, with what cannot be seen written as Python would: `\x1b`, `\u202e`."""
    return text if text.isascii() and text.isprintable() else _INVISIBLE.sub(_escape_match, text)


def escape_invisible_lines(text: str) -> str:
    """Return the same for text of several lines: its line ends and tabs stay."""
    return _INVISIBLE.sub(lambda found: found[0] if found[0] in _KEPT_IN_LINES else _escape_match(found), text)


def _escape_match(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
