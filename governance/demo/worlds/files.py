"""Write a labelled world as files: usage events, the register of accounts, and what each account is."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from governance.demo.world import World

EVENTS, ACCOUNTS, LABELS = "events.jsonl.gz", "accounts.jsonl", "labels.jsonl"


class WorldCounts(NamedTuple):
    """How many accounts, harvests among them, and events a world has."""

    accounts: int
    harvests: int
    events: int


def iter_labels(world: World) -> Iterator[dict[str, Any]]:
    """Yield what each account is, as `bench_detection` reads it; `dressed` is whether a harvest hides as a product."""
    for customer, kind in world.customers:
        label = "malicious" if kind.harvest else "licensed" if kind.training_permitted else "benign"
        yield {
            "account": customer.id,
            "label": label,
            "family": kind.name,
            "campaign": customer.group if kind.harvest and customer.group else None,
            "dressed": kind.is_dressed,
            "text": "text" if customer.sends_text else "metadata_only",
        }


def write_world(world: World, folder: Path) -> WorldCounts:
    """Write the files of a world, one event after another; the same world makes the same bytes. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder = msgspec.json.Encoder()
    keys: dict[str, list[dict[str, str]]] = {}
    for key in world.keys:
        keys.setdefault(key["account"], []).append({"id": key["api_key"]})
    register = [account | {"keys": keys[account["account"]]} for account in world.accounts]
    labels = [*iter_labels(world)]
    (folder / ACCOUNTS).write_bytes(b"".join(encoder.encode(line) + b"\n" for line in register))
    (folder / LABELS).write_bytes(b"".join(encoder.encode(line) + b"\n" for line in labels))
    events = 0
    # Without a name and a time in the header, which would be other bytes.
    with (
        (folder / EVENTS).open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed,
    ):
        for event in world.events():
            packed.write(encoder.encode(event) + b"\n")
            events += 1
    return WorldCounts(len(labels), sum(line["label"] == "malicious" for line in labels), events)
