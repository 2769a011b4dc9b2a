"""What is kept of a prompt: keyed digests, a sketch, a few named markers and counts. Never a word of it.

Digests and sketch are keyed, so that nobody who reads the table can test a guess at a prompt without the key.
Two requests have the same

- `prompt_digest` when they say the same, apart from letter case and line breaks,
- `template_digest` when they wrap their payload in the same words (see `wrapper`),
- `system_digest` when they carry the same system prompt,
- nearly the same `sketch` when they share most of their words (SimHash, Charikar 2002), which shows in the
  Hamming distance.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from governance.usage.markers import markers_in

# 16 KiB of an event are read. Of a longer text its beginning and its end are, since wrappers stand there.
SYSTEM_CHARS: Final = 4096
ASKED_CHARS: Final = 8192
LAST_CHARS: Final = 4096

WRAPPER_WORDS: Final = 6
WRAPPER_CHARS: Final = 120

LONG_WORD_BYTES: Final = 30

# Bounds what the rare words of a day can pile up in memory.
REMEMBERED_WORDS: Final = 65_536

_DIGEST_BYTES: Final = 8
_SYSTEM_ROLES: Final = ("system", "developer")  # a tuple, since a role may be anything, hashable or not
_VARIABLE: Final = re.compile(r"\d+|\"[^\"]*\"?|“[^”]*”?|«[^»]*»?|`[^`]*`?|<[^>]*>")
_VARIES: Final = re.compile(r"[\d\"“«`<]")
_SPACED: Final = bytes(value if value >= 128 or chr(value).isalnum() else ord(" ") for value in range(256))
_LABEL_ENDS: Final = frozenset(":=-])>#*")


class Fingerprint(msgspec.Struct, frozen=True, gc=False):
    """What is kept of one event's text.

    Digests and sketch are signed 64-bit integers, `markers` a bit mask (see `governance.usage.markers`),
    `prompt_chars` the characters of all messages together, `turns` how often the user took the floor.
    """

    prompt_digest: int
    template_digest: int
    system_digest: int | None
    sketch: int
    markers: int
    prompt_chars: int
    turns: int


class Prompt(NamedTuple):
    """The text of one event as it is read: cut to what is allowed, counted in full."""

    system: str
    asked: str
    last: str
    chars: int
    turns: int


def fingerprint(*, messages: object = None, prompt: object = None, key: bytes) -> Fingerprint | None:
    """Fingerprint one event; None where it carries no text. Accepts whatever JSON can hold and never raises
    for it.

    `messages` follows the chat format of the OpenAI API, `prompt` is a string or a list of strings, `key`
    is secret, at most 64 bytes long.
    """
    return fingerprints([(messages, prompt)], key=key)[0]


def fingerprints(texts: Iterable[tuple[object, object]], *, key: bytes) -> list[Fingerprint | None]:
    """Fingerprint many events, given as pairs of (messages, prompt); one result a pair, in their order."""
    prompts = [read_prompt(messages, prompt) for messages, prompt in texts]
    present = [prompt for prompt in prompts if prompt is not None]
    plain = [_plain(f"{prompt.system}\n{prompt.asked}") for prompt in present]
    found = iter(
        Fingerprint(
            prompt_digest=_digest(f"{text}\0{prompt.last}\0{prompt.chars}", key=key),
            template_digest=_digest(wrapper(prompt), key=key),
            system_digest=_digest(_plain(prompt.system), key=key) if prompt.system else None,
            sketch=sketch(prompt.asked, key=key),
            markers=marks,
            prompt_chars=prompt.chars,
            turns=prompt.turns,
        )
        for prompt, text, marks in zip(present, plain, markers_in(plain), strict=True)
    )
    return [None if prompt is None else next(found) for prompt in prompts]


def read_prompt(messages: object, prompt: object) -> Prompt | None:
    """Take the system prompt, the last thing a user asked and the last message from one event's text."""
    pairs = _messages(messages) or [("user", text) for text in [_text(prompt)] if text]
    if not pairs:
        return None
    system = asked = ""
    by_user = False
    chars = turns = 0
    for role, text in pairs:
        chars += len(text)
        if role in _SYSTEM_ROLES:
            system = f"{system}\n{text}" if system else text
            continue
        if role == "user":
            asked = text
            turns += not by_user
        by_user = role == "user"
    last = pairs[-1][1]
    asked = asked or last
    return Prompt(
        system=_cut(system, SYSTEM_CHARS),
        asked=_cut(asked, ASKED_CHARS),
        last="" if last is asked else _cut(last, LAST_CHARS),
        chars=chars,
        turns=min(turns, 32_767),
    )


def wrapper(prompt: Prompt) -> str:
    """The fixed words around a payload, as well as a single event can tell.

    These are how its system prompt and its question begin and how the question ends, with numbers, quotations
    and the longest line left out. A wrapper stands at the start (`Translate into French: …`), at the end
    (`… Explain every step.`), at both, or in the system prompt; what is longest is the payload.
    """
    system = _opening(prompt.system)
    lines = [line for line in prompt.asked.split("\n") if line and not line.isspace()]
    if len(lines) < 2:
        return f"{system}|{_opening(prompt.asked)}|"
    lengths = [len(line) for line in lines]
    payload = lengths.index(max(lengths))
    opening = _opening(lines[0]) if payload != 0 or _has_label(lines[0]) else ""
    closing = _closing(lines[-1]) if payload != len(lines) - 1 and _closes(prompt.asked, lines[-1]) else ""
    return f"{system}|{opening}|{closing}" if opening or closing else f"{system}|{_opening(lines[0])}|"


def sketch(text: str, *, key: bytes) -> int:
    """SimHash of the words of a text: 64 bits, signed; 0 for a text without words.

    Every word counts once, so that the commonest do not drown the others. The 64 counters lie side by side in
    one large integer, 16 bits each, which makes counting a word one addition.
    """
    words = set(text.lower().encode().translate(_SPACED).split())
    if not text.isascii():
        words = {piece for word in words for piece in _pieces(word)}
    if not words:
        return 0
    counters = sum(map(_spreads(key).__getitem__, words))
    # Lifting every counter so that half of the words reaches 2^15 turns its top bit into the sketch's bit.
    lifted = counters + (0x8000 - (len(words) + 1) // 2) * _ONES
    tops = lifted.to_bytes(130, "little")[1:128:2].translate(_TOP_BIT)
    return int.from_bytes(int(tops, 2).to_bytes(8, "big"), "big", signed=True)


_ONES: Final = sum(1 << (16 * lane) for lane in range(64))
_TOP_BIT: Final = bytes(ord("1") if value >= 128 else ord("0") for value in range(256))
_LANES: Final = [
    [sum(1 << (16 * bit) for bit in range(8) if value >> bit & 1) << (128 * place) for value in range(256)]
    for place in range(_DIGEST_BYTES)
]


class _Spreads(dict[bytes, int]):
    """The bits of a word's keyed hash spread over 64 counters, remembered because common words come again."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self.key = key

    def __missing__(self, word: bytes) -> int:
        if len(self) >= REMEMBERED_WORDS:
            self.clear()
        digest = blake2b(word, digest_size=_DIGEST_BYTES, key=self.key).digest()
        spread = sum(map(list.__getitem__, _LANES, digest))
        self[word] = spread
        return spread


@lru_cache(maxsize=2)
def _spreads(key: bytes) -> _Spreads:
    return _Spreads(key)


def _messages(messages: object) -> list[tuple[object, str]]:
    if not isinstance(messages, list | tuple):
        return []
    return [
        (message.get("role"), text)
        for message in messages
        if isinstance(message, dict) and (text := _text(message.get("content")))
    ]


def _text(content: object) -> str:
    """The text of a message's content: a string, or a list of strings and of parts with text."""
    if isinstance(content, str):
        return _valid(content)
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return _valid("\n".join(part for part in parts if isinstance(part, str)))


def _valid(text: str) -> str:
    """JSON may carry half a surrogate pair, which no encoding takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars // 2]}\n{text[-(chars // 2) :]}"


def _plain(text: str) -> str:
    return text.lower().replace("\n", " ")


def _digest(text: str, *, key: bytes) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=_DIGEST_BYTES, key=key).digest(), "big", signed=True)


def _opening(text: str) -> str:
    """The first words, or all of them up to a colon that comes soon."""
    start = text[:WRAPPER_CHARS].lower()
    label, colon, _ = start.partition(":")
    words = label.split()
    if not colon or len(words) > 2 * WRAPPER_WORDS:
        words = start.split(maxsplit=WRAPPER_WORDS)[:WRAPPER_WORDS]
    return _masked(words)


def _closing(line: str) -> str:
    return _masked(line[-WRAPPER_CHARS:].lower().split()[-WRAPPER_WORDS:])


def _masked(words: list[str]) -> str:
    text = " ".join(words)
    return _VARIABLE.sub("#", text) if _VARIES.search(text) else text


def _pieces(word: bytes) -> list[bytes]:
    """Scripts without spaces give long words; they are cut into pieces of about two characters."""
    return [word] if len(word) <= LONG_WORD_BYTES else [word[at : at + 6] for at in range(0, len(word), 6)]


def _has_label(line: str) -> bool:
    return line.find(":", 0, 60) > 0


def _closes(asked: str, line: str) -> bool:
    """Whether the last line is a wrapper's and not just the payload's end: a label, or its own paragraph."""
    return line.rstrip()[-1:] in _LABEL_ENDS or "\n\n" in asked.rstrip()[-len(line.rstrip()) - 3 :]
