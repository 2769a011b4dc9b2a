"""Who is mentioned in a note: `@mira`, by the part of the e-mail address before its @. Pure."""

import re
from typing import Final

# Not within a word, so that an e-mail address in a note mentions nobody.
MENTION: Final = re.compile(r"(?<![\w.+-])@([\w.+-]*\w)")


def mentioned_handles(text: str) -> list[str]:
    """Return the names after each `@`, in lower case, each once.

    >>> mentioned_handles("@Mira, please ask ops@example.com (or @jonas.l). @mira?")
    ['mira', 'jonas.l']
    """
    return list(dict.fromkeys(handle.lower() for handle in MENTION.findall(text)))


def handle_of(email: str) -> str:
    """Return how somebody with this address is mentioned.

    >>> handle_of("mira@example.com")
    'mira'
    """
    return email.partition("@")[0]
