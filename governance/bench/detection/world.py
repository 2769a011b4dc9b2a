"""A labelled world: what accounts sent, and what they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from governance.usage.files import lines_in, open_counted
from governance.usage.prompts import read_prompt


class Label(msgspec.Struct, frozen=True):
    """What an account is: malicious, benign or licensed; its family; and whether it sent text."""

    account: str
    label: str
    family: str
    campaign: str | None = None
    text: str = "text"


class _Event(msgspec.Struct):
    id: str
    account: str
    occurred_at: datetime
    input_tokens: int
    output_tokens: int
    messages: Any = None
    prompt: Any = None


@dataclass(slots=True)
class Sent:
    """What an account sent, in order of time: when, tokens of each request, and the texts that were asked."""

    at: list[datetime] = field(default_factory=list)
    tokens: list[tuple[int, int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class World:
    """Accounts by their id; what is licensed is left out, since it is neither right nor wrong to flag it."""

    labels: dict[str, Label]
    sent: dict[str, Sent]

    @property
    def accounts(self) -> list[str]:
        return sorted(self.labels)


def files_of(folder: str) -> tuple[str, str, str]:
    """Where a world keeps its events, its register and its labels."""
    root = Path(folder)
    packed = (root / f"events.jsonl{packing}" for packing in (".gz", ".zst", ""))
    events = next((path for path in packed if path.exists()), None)
    if events is None:
        raise FileNotFoundError(f"{root} holds no events.jsonl.gz")
    return str(events), str(root / "accounts.jsonl"), str(root / "labels.jsonl")


def read_world(folder: str) -> World:
    """Read a folder with events, register and labels. An event that comes twice counts once."""
    events, _, labels = files_of(folder)
    every = msgspec.json.Decoder(Label)
    known = [every.decode(line) for line in _lines(labels)]
    wanted = {one.account: one for one in known if one.label != "licensed"}
    sent: dict[str, Sent] = {account: Sent() for account in wanted}
    seen: set[str] = set()
    decoder = msgspec.json.Decoder(_Event)
    for line in _lines(events):
        event = decoder.decode(line)
        if event.id in seen or event.account not in wanted:
            continue
        seen.add(event.id)
        of = sent[event.account]
        of.at.append(event.occurred_at)
        of.tokens.append((event.input_tokens, event.output_tokens))
        prompt = read_prompt(event.messages, event.prompt)
        if prompt is not None:
            of.texts.append(prompt.asked)
    return World(wanted, sent)


def _lines(name: str) -> Iterator[bytes]:
    with open_counted(name) as file:
        for line in lines_in(name, file):
            if line.strip():
                yield line
