"""A labelled world: what accounts sent, and what they are.

A folder with usage events in the wire format (`events.jsonl.gz`, `.zst` or unpacked), the register of accounts
(`accounts.jsonl`) and what each account is (`labels.jsonl`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from governance.usage.files import open_usage_file, read_lines
from governance.usage.prompts import read_prompt

T = TypeVar("T")

EVENTS: Final = ("events.jsonl.gz", "events.jsonl.zst", "events.jsonl")


class WorldLabel(msgspec.Struct, frozen=True):
    """What an account is: malicious, benign or licensed; its family; and whether it sent text (or `metadata_only`)."""

    account: str
    label: str
    family: str
    campaign: str | None = None
    text: str = "text"


class Event(msgspec.Struct, frozen=True):
    """What the measuring needs of a usage event."""

    id: str
    account: str
    occurred_at: datetime
    input_tokens: int
    output_tokens: int
    messages: Any = None
    prompt: Any = None

    @property
    def asked(self) -> str | None:
        """The last message of the user, or the prompt; None where no text was sent."""
        read = read_prompt(self.messages, self.prompt)
        return None if read is None else read.asked


@dataclass(slots=True)
class Sent:
    """What an account sent, in order of time: when, input and output tokens of each request, and the texts it asked."""

    at: list[datetime] = field(default_factory=list)
    tokens: list[tuple[int, int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledWorld:
    """What accounts are and what they sent, both by account. Two worlds are the same only if they are one.

    What is licensed is left out, since it is neither right nor wrong to flag it.
    """

    labels: dict[str, WorldLabel]
    sent: dict[str, Sent]

    @property
    def accounts(self) -> list[str]:
        return sorted(self.labels)


def files_of(folder: str) -> tuple[str, str, str]:
    """Where a world keeps its events, its register and its labels. Raises FileNotFoundError."""
    root = Path(folder)
    events = next((root / name for name in EVENTS if (root / name).exists()), None)
    if events is None:
        raise FileNotFoundError(f"{root} holds none of {', '.join(EVENTS)}")
    return str(events), str(root / "accounts.jsonl"), str(root / "labels.jsonl")


def read_events(folder: str) -> Iterator[Event]:
    """The events as they stand in the file, one after another. What an account sent twice comes once."""
    events, _, _ = files_of(folder)
    seen: set[tuple[str, str]] = set()
    for event in _read(events, Event):
        if (event.account, event.id) not in seen:
            seen.add((event.account, event.id))
            yield event


def read_labels(folder: str) -> dict[str, WorldLabel]:
    """Read what accounts are, less the licensed. Raises OSError."""
    _, _, labels = files_of(folder)
    return {label.account: label for label in _read(labels, WorldLabel) if label.label != "licensed"}


def read_world(folder: str) -> LabelledWorld:
    """Read a world. What licensed accounts and those without a label sent is passed over."""
    known = read_labels(folder)
    events: dict[str, list[_Kept]] = {account: [] for account in known}
    for event in read_events(folder):
        if event.account in known:
            tokens = (event.input_tokens, event.output_tokens)
            events[event.account].append(_Kept(event.occurred_at, tokens, event.asked))
    return LabelledWorld(known, {account: _what_was_sent(own) for account, own in events.items()})


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of an event while the file is read: without it a world of conversations would not fit in memory."""

    at: datetime
    tokens: tuple[int, int]
    asked: str | None


def _what_was_sent(events: list[_Kept]) -> Sent:
    events.sort(key=attrgetter("at"))
    texts = [one.asked for one in events if one.asked is not None]
    return Sent([one.at for one in events], [one.tokens for one in events], texts)


def _read(name: str, kind: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    with open_usage_file(name) as file:
        for line in read_lines(name, file):
            if line.strip():
                yield decoder.decode(line)
