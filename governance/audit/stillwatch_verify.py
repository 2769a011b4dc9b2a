"""Verify a published audit log without Stillwatch: this file, Python's standard library and `cryptography` are enough.

    python stillwatch_verify.py FOLDER --key 'example.com+1a2b3c4d+AbCd…' [--checkpoint FILE …]

FOLDER is laid out as C2SP tlog-tiles says, and its checkpoints are signed notes (C2SP tlog-checkpoint, signed-note);
hashes are those of RFC 6962. Get the keys from somebody you trust, not from the folder. A checkpoint that was kept
elsewhere proves that nothing was changed, removed or inserted since. Ends with status 1 and names the first bad entry
if anything does not fit.
"""

import argparse
import base64
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TILE_WIDTH = 256
NOTHING = hashlib.sha256().digest()  # the head of a tree without entries
ED25519 = 1  # the signature types of signed-note
COSIGNATURE = 4


class LogFaultError(Exception):
    """The log is not what was signed. `first` is the number of the first bad entry, as far as that is known."""

    def __init__(self, message: str, *, first: int | None = None) -> None:
        super().__init__(message)
        self.first = first


class UnknownKeyError(LogFaultError):
    pass


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_head(hashes: Sequence[bytes]) -> bytes:
    """Return the head over the hashes of leaves, or of complete subtrees of one size; the last may be smaller."""
    if not hashes:
        return NOTHING
    row = list(hashes)
    while len(row) > 1:
        paired = [node_hash(row[place], row[place + 1]) for place in range(0, len(row) - 1, 2)]
        row = paired + row[len(paired) * 2 :]
    return row[0]


class TileTree:
    """A tree that grows at its end. `levels` hold the hashes of the tile at each level that is not full yet."""

    def __init__(self, size: int = 0, levels: Iterable[Sequence[bytes]] = ()) -> None:
        self.size = size
        self.levels = [list(level) for level in levels]

    def append(self, leaf: bytes) -> list[tuple[int, int, list[bytes]]]:
        """Add the hash of a leaf. Return the tiles that are full by that: level, index and hashes of each."""
        self.size += 1
        full: list[tuple[int, int, list[bytes]]] = []
        level, added = 0, leaf
        while True:
            if level == len(self.levels):
                self.levels.append([])
            tile = self.levels[level]
            tile.append(added)
            if len(tile) < TILE_WIDTH:
                return full
            full.append((level, (self.size >> 8 * (level + 1)) - 1, tile))
            self.levels[level] = []
            level, added = level + 1, tree_head(tile)

    def head(self) -> bytes:
        head: list[bytes] = []
        for tile in self.levels:
            head = [tree_head([*tile, *head])] if tile or head else []
        return head[0] if head else NOTHING


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile: `level` is a number, or "entries"; one that is not full has the `width` it has."""
    partial = f".p/{width}" if width < TILE_WIDTH else ""
    return f"tile/{level}/{number_path(index)}{partial}"


def number_path(number: int) -> str:
    """Return a number as a path of groups of three digits: 1234067 is x001/x234/067."""
    text = f"{number:03}"
    text = text.zfill(-(-len(text) // 3) * 3)
    groups = [text[place : place + 3] for place in range(0, len(text), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def split_bundle(bundle: bytes) -> list[bytes]:
    """Return the entries of a bundle, each of which has its length before it. The last may be cut short."""
    entries, place = [], 0
    while place < len(bundle):
        start, length = place + 2, int.from_bytes(bundle[place : place + 2])
        place = start + length
        entries.append(bundle[start:place])
    return entries


class VerifierKey(NamedTuple):
    name: str
    key_id: bytes
    kind: int
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read name+id+key as signed-note writes it. Raises ValueError."""
        name, _, rest = text.strip().partition("+")
        hex_id, _, encoded = rest.partition("+")
        kind, public_key = _decoded(encoded)[:1], _decoded(encoded)[1:]
        if not name or kind not in {b"\1", b"\4"} or len(public_key) != 32:
            raise ValueError(f"{text!r} is no key of the form name+id+key")
        key = cls(name, key_id(name, kind[0], public_key), kind[0], public_key)
        if hex_id.lower() != key.key_id.hex():
            raise ValueError(f"{text!r} has an id that does not belong to its key")
        return key


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


class SignedCheckpoint(NamedTuple):
    """The head of a log, and at which times (seconds since 1970) which witnesses signed it."""

    origin: str
    size: int
    root: bytes
    witnessed: Mapping[str, int]


def open_checkpoint(note: str, keys: Sequence[VerifierKey]) -> SignedCheckpoint:
    """Return what a checkpoint says that is signed by one of these keys of the log. Raises LogFaultError."""
    text, blank, signatures = note.rpartition("\n\n")
    lines = text.split("\n")
    has_control = any(letter < " " for letter in note.replace("\n", ""))
    if not blank or len(lines) < 3 or not lines[1].isdecimal() or has_control or note[-1] != "\n":
        raise LogFaultError("a checkpoint is not written as one")
    known = {(key.name, key.key_id): key for key in keys}
    signed: dict[str, int] = {}
    for line in signatures.split("\n"):
        name, _, encoded = line.removeprefix("— ").rpartition(" ")
        signature = _decoded(encoded)
        if key := known.get((name, signature[:4])):
            signed[name] = _check_signature(key, f"{text}\n", signature[4:])
    if signed.pop(lines[0], None) is None:
        raise UnknownKeyError("a checkpoint is signed by none of the given keys")
    return SignedCheckpoint(lines[0], int(lines[1]), _decoded(lines[2]), signed)


def _check_signature(key: VerifierKey, text: str, signature: bytes) -> int:
    """Return the time of a witness's signature, 0 for one of a log. Raises LogFaultError."""
    at = 0
    if key.kind == COSIGNATURE:
        at, signature = int.from_bytes(signature[:8]), signature[8:]
        text = f"cosignature/v1\ntime {at}\n{text}"
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, text.encode())
    except InvalidSignature:
        raise LogFaultError(f"a signature of {key.name} is false") from None
    return at


def _decoded(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return decoded if base64.b64encode(decoded).decode() == text else b""


def verify_folder(folder: Path, keys: Sequence[VerifierKey], kept: Iterable[str] = ()) -> tuple[int, int, int]:
    """Verify every entry, tile and checkpoint of a folder, and checkpoints that were kept elsewhere.

    Return how many entries and checkpoints of the folder fit, and how many checkpoints are signed by other keys alone.
    Raises LogFaultError.
    """
    newest = open_checkpoint(_read(folder, "checkpoint").decode("utf-8", "replace"), keys)
    wanted = {newest.size: newest}
    for note in kept:
        _add(wanted, open_checkpoint(note, keys), newest)
    others, found = 0, 0
    for file in sorted((folder / "checkpoints").rglob("*")):
        if file.suffix or not file.is_file():  # signatures of witnesses and time stamps lie beside them
            continue
        try:
            _add(wanted, open_checkpoint(file.read_text("utf-8", "replace"), keys), newest)
            found += 1
        except UnknownKeyError:
            others += 1
    _check_entries(folder, newest.size, wanted)
    return newest.size, found, others


def _add(wanted: dict[int, SignedCheckpoint], kept: SignedCheckpoint, newest: SignedCheckpoint) -> None:
    if kept.origin != newest.origin:
        raise LogFaultError(f"a checkpoint is of another log, {kept.origin}")
    if kept.size > newest.size:
        first = newest.size + 1
        raise LogFaultError(f"entries {first} to {kept.size}, of a signed checkpoint, are missing", first=first)
    if wanted.setdefault(kept.size, kept).root != kept.root:
        raise LogFaultError(f"two signed checkpoints of {kept.size} entries differ")


def _check_entries(folder: Path, size: int, wanted: Mapping[int, SignedCheckpoint]) -> None:
    tree, fitting = TileTree(), 0
    for index in range(-(-size // TILE_WIDTH)):
        for entry_hash in _bundle_hashes(folder, index, size):
            for level, place, hashes in tree.append(entry_hash):
                _check_tile(folder, level, place, hashes, tree.size)
            _check_root(tree, wanted, fitting)
            fitting = tree.size if tree.size in wanted else fitting
    for level, hashes in enumerate(tree.levels):
        if hashes:
            _check_tile(folder, level, size >> 8 * (level + 1), hashes, size)


def _check_root(tree: TileTree, wanted: Mapping[int, SignedCheckpoint], fitting: int) -> None:
    if (checkpoint := wanted.get(tree.size)) and checkpoint.root != tree.head():
        first, last = fitting + 1, tree.size
        raise LogFaultError(f"entries {first} to {last} are not those of the signed checkpoint of {last}", first=first)


def _bundle_hashes(folder: Path, index: int, size: int) -> Iterator[bytes]:
    """The hashes of the entries of a bundle, each compared with the tile that has them."""
    start, width = index * TILE_WIDTH, min(TILE_WIDTH, size - index * TILE_WIDTH)
    bundle, stored = _read_tile(folder, "entries", index, width)
    hashes, _ = _read_tile(folder, 0, index, width)
    entries = split_bundle(bundle)
    for number, entry in enumerate(entries[:width], start=start + 1):
        hashed, place = leaf_hash(entry), number - start - 1
        if hashed != hashes[place * 32 : place * 32 + 32]:
            raise LogFaultError(f"entry {number} is not the one that was published", first=number)
        yield hashed
    if len(entries) != stored:
        first = start + min(len(entries), width) + 1
        raise LogFaultError(f"after entry {first - 1} some are missing or too many", first=first)


def _check_tile(folder: Path, level: int, index: int, hashes: Sequence[bytes], size: int) -> None:
    tile, stored = _read_tile(folder, level, index, len(hashes))
    path = tile_path(level, index, stored)
    for place, hashed in enumerate(hashes):
        if tile[place * 32 : place * 32 + 32] != hashed:
            first = (index * TILE_WIDTH + place) * TILE_WIDTH**level + 1
            last = min(first + TILE_WIDTH**level - 1, size)
            raise LogFaultError(f"entries {first} to {last} are not those of {path}", first=first)
    if len(tile) != stored * 32:
        raise LogFaultError(f"{path} is too long")


def _read_tile(folder: Path, level: int | str, index: int, width: int) -> tuple[bytes, int]:
    """Return a tile and its width, or the whole one where that has taken its place."""
    stored = width if (folder / tile_path(level, index, width)).is_file() else TILE_WIDTH
    first = index * TILE_WIDTH ** (level + 1 if isinstance(level, int) else 1) + 1
    return _read(folder, tile_path(level, index, stored), first), stored


def _read(folder: Path, path: str, first: int | None = None) -> bytes:
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise LogFaultError(f"{path} cannot be read: {error.strerror}", first=first) from error


def main() -> int:
    options = argparse.ArgumentParser(description="Verify a published audit log.")
    options.add_argument("folder", type=Path)
    options.add_argument("--key", action="append", required=True, help="name+id+key; again for each key of the log")
    options.add_argument("--checkpoint", action="append", type=Path, default=[], help="a checkpoint kept elsewhere")
    given = options.parse_args()
    try:
        keys = [VerifierKey.parse(key) for key in given.key]
        size, fitting, others = verify_folder(given.folder, keys, [kept.read_text() for kept in given.checkpoint])
    except (LogFaultError, ValueError, OSError) as error:
        sys.stderr.write(f"NOT verified: {error}.\n")
        return 1
    sys.stdout.write(f"Verified {size} entries and {fitting} checkpoints; {others} are signed by other keys alone.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
