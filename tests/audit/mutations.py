"""What a forger can do to a log, at random: on the entries of the database, and on the files of a published folder."""

import random
import shutil
from collections.abc import Callable, Sequence
from copy import copy
from datetime import timedelta
from pathlib import Path
from typing import Final

from governance.audit.chain import GENESIS, encode_leaf, entry_hash
from governance.audit.folder import LogFolder
from governance.audit.models import Entry
from governance.audit.notes import LogKey, sign_checkpoint
from governance.audit.queries import content_of
from governance.audit.stillwatch_verify import TILE_WIDTH, TileTree, leaf_hash, split_bundle
from tests.factories import NOW

Log = list[Entry]
Mutation = Callable[[Log, random.Random], Log]


def make_log(size: int, *, seed: int = 0) -> Log:
    """Entries as `record` makes them, without a database."""
    chance = random.Random(seed)
    log = [
        Entry(
            number=number,
            at=NOW + timedelta(seconds=number),
            actor_kind="staff",
            actor_id=str(chance.randint(1, 9)),
            actor_name=chance.choice(["Mira", "Jonas", "Zoë"]),
            verb=chance.choice(["case.noted", "case.claimed", "restriction.created"]),
            subject_kind="case",
            subject_id=str(chance.randint(1, 99)),
            details={"note": f"Note {chance.randint(1, 999)}", "number": number},
            salt=chance.randbytes(16),
        )
        for number in range(1, size + 1)
    ]
    return chained(log)


def chained(log: Log) -> Log:
    """Number the entries and make every hash again, as a forger who has no key can."""
    previous = GENESIS
    for number, entry in enumerate(log, start=1):
        entry.number, entry.previous_hash = number, previous
        entry.leaf = encode_leaf(content_of(entry), bytes(entry.salt))
        previous = entry.hash = entry_hash(previous, entry.leaf)
    return log


def flip(log: Log, chance: random.Random) -> Log:
    """One bit of the bytes that are kept."""
    entry = chance.choice(log)
    leaf = bytearray(entry.leaf or b"")
    leaf[chance.randrange(len(leaf))] ^= 1 << chance.randrange(8)
    entry.leaf = bytes(leaf)
    return log


def reword(log: Log, chance: random.Random) -> Log:
    """What people read, and not the bytes."""
    entry = chance.choice(log)
    name = chance.choice(["actor_name", "verb", "subject_id", "actor_id", "subject_kind"])
    setattr(entry, name, f"{getattr(entry, name)}x")
    return log


def salt_anew(log: Log, chance: random.Random) -> Log:
    """What hides the values, and not the bytes."""
    chance.choice(log).salt = chance.randbytes(16)
    return log


def delete(log: Log, chance: random.Random) -> Log:
    del log[chance.randrange(len(log))]
    return log


def insert(log: Log, chance: random.Random) -> Log:
    # Not before the last one: where that is copied, the log merely goes on.
    log.insert(chance.randrange(len(log) - 1), copy(chance.choice(log)))
    return log


def swap(log: Log, chance: random.Random) -> Log:
    one, other = chance.sample(range(len(log)), 2)
    log[one], log[other] = log[other], log[one]
    return log


def cut(log: Log, chance: random.Random) -> Log:
    return log[: chance.randrange(len(log))]


def move_clock(log: Log, chance: random.Random) -> Log:
    entry = chance.choice(log)
    entry.at += timedelta(microseconds=chance.choice([-1, 1]) * chance.randint(1, 10**12))
    return log


def chain_again(log: Log, chance: random.Random) -> Log:
    """Any of the others, and every hash made to fit."""
    return chained(chance.choice([reword, salt_anew, delete, insert, swap, cut, move_clock])(log, chance))


def restore_backup(log: Log, chance: random.Random) -> Log:
    """An old backup that has grown again, to any length."""
    kept, more = chance.randrange(len(log)), chance.randint(1, len(log))
    return chained([*log[:kept], *make_log(more, seed=chance.randrange(1 << 30))])


MUTATIONS: Final[Sequence[Mutation]] = (
    *(flip, reword, salt_anew, delete, insert, swap, cut, move_clock),
    *(chain_again, restore_backup),
)


def mutate(log: Log, chance: random.Random) -> tuple[str, Log]:
    """Return the name of a change, and a log that differs by it."""
    mutation = chance.choice(MUTATIONS)
    return mutation.__name__, mutation([copy(entry) for entry in log], chance)


def publish_to_folder(log: Log, folder: Path, keys: Sequence[LogKey], *, sizes: Sequence[int]) -> None:
    """Publish the log with a checkpoint of each of these sizes."""
    made, tree = LogFolder(folder), TileTree()
    for size in sizes:
        for index in range(tree.size // TILE_WIDTH, -(-size // TILE_WIDTH)):
            start = index * TILE_WIDTH
            leaves = [bytes(entry.leaf or b"") for entry in log[start : min(start + TILE_WIDTH, size)]]
            made.add_entries(index, leaves)
            for leaf in leaves[tree.size - start :]:
                for level, place, hashes in tree.append(leaf_hash(leaf)):
                    made.add_tile(level, place, hashes)
        for level, hashes in enumerate(tree.levels):
            if hashes:
                made.add_tile(level, size >> 8 * (level + 1), hashes)
        made.add_checkpoint(size, sign_checkpoint(size, tree.head(), keys))


def mutate_folder(folder: Path, chance: random.Random) -> str:
    """Change one of the files of which the newest checkpoint is verified. Return what was done."""
    file = chance.choice([folder / "checkpoint", *sorted(tile for tile in folder.rglob("tile/**/*") if tile.is_file())])
    content = bytearray(file.read_bytes())
    # What is added to a checkpoint is a signature by somebody unknown, which is nobody's fault.
    match chance.choice(["flip", "cut", "delete", "grow", "exchange"] if "tile" in file.parts else ["flip", "cut"]):
        case "cut":
            content = content[: chance.randrange(len(content))]
        case "grow":
            content += chance.choice([b"\0", b"\0\0", bytes(32), bytes(content[:40])])
        case "exchange" if "entries" in file.parts:
            entries = split_bundle(bytes(content))
            one, other = chance.sample(range(len(entries)), 2)
            entries[one], entries[other] = entries[other], entries[one]
            content = bytearray(b"".join(len(entry).to_bytes(2) + entry for entry in entries))
        case "delete":
            file.unlink()
            return f"delete {file}"
        case _:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(bytes(content))
    return f"change {file}"


def forge_folder(log: Log, folder: Path, chance: random.Random) -> str:
    """Make all tiles again for another log, with the right checkpoints, since the forger has no key."""
    name, forged = mutate(log, chance)
    if name in {"reword", "salt_anew", "move_clock"}:  # which leave what is published as it is
        chained(forged)
    kept = {file: file.read_bytes() for file in [folder / "checkpoint", *folder.glob("checkpoints/*")]}
    shutil.rmtree(folder)
    publish_to_folder(forged, folder, [LogKey("forged", "A" * 43)], sizes=[len(forged)] if forged else [])
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    for file, content in kept.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return name
