"""What is read of the text of a request: its system prompt, what was asked last, and counts. Pure."""

from typing import Final, NamedTuple

# 16 KiB of an event are read. Of a longer text its beginning and its end are, since wrappers stand there.
SYSTEM_CHARS: Final = 4096
ASKED_CHARS: Final = 8192
LAST_CHARS: Final = 4096

MOST_COUNTED: Final = 2**15 - 1

_SYSTEM_ROLES: Final = ("system", "developer")  # a tuple, since a role may be anything, hashable or not


class Prompt(NamedTuple):
    """The text of one event as it is read: cut to what is allowed, counted in full.

    `last` is the last message where that is not what the user asked. `chars` counts all messages, `turns` how often
    the user took the floor; `system_place` is the place of the first system prompt among the messages, from 0.
    """

    system: str
    asked: str
    last: str
    chars: int
    asked_chars: int
    system_chars: int
    system_place: int | None
    turns: int


def read_prompt(messages: object, prompt: object) -> Prompt | None:
    """Take what is read from one event's text; None where there is none. Accepts whatever JSON can hold."""
    pairs = _messages(messages)
    if not pairs:
        text = read_text(prompt)
        if not text:
            return None
        pairs = [("user", text)]
    system = asked = ""
    system_place = None
    by_user = False
    chars = turns = 0
    for place, (role, text) in enumerate(pairs):
        chars += len(text)
        if role == "user":
            asked = text
            turns += not by_user
            by_user = True
        elif role in _SYSTEM_ROLES:
            system = f"{system}\n{text}" if system else text
            system_place = place if system_place is None else system_place
        else:
            by_user = False
    last = pairs[-1][1]
    asked = asked or last
    return Prompt(
        system=cut_text(system, SYSTEM_CHARS),
        asked=cut_text(asked, ASKED_CHARS),
        last="" if last is asked else cut_text(last, LAST_CHARS),
        chars=chars,
        asked_chars=len(asked),
        system_chars=len(system),
        system_place=None if system_place is None else min(system_place, MOST_COUNTED),
        turns=min(turns, MOST_COUNTED),
    )


def _messages(messages: object) -> list[tuple[object, str]]:
    if not isinstance(messages, list | tuple):
        return []
    return [
        (message.get("role"), text)
        for message in messages
        if isinstance(message, dict) and (text := read_text(message.get("content")))
    ]


def read_text(content: object) -> str:
    """Return the text of a message's content: a string, or a list of strings and of parts with text."""
    if isinstance(content, str):
        return _valid(content)
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return _valid("\n".join(part for part in parts if isinstance(part, str)))


def _valid(text: str) -> str:
    """JSON may carry half a surrogate pair, which no encoding takes, and NUL, which parts texts here."""
    text = text if text.isascii() else text.encode("utf-8", "replace").decode()
    return text.replace("\0", " ") if "\0" in text else text


def cut_text(text: str, chars: int) -> str:
    """Return a text of at most so many characters and a line break: its beginning and its end."""
    return text if len(text) <= chars else f"{text[: chars // 2]}\n{text[-(chars // 2) :]}"
