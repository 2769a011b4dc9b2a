"""The folder to which the log is published, laid out as C2SP tlog-tiles says. Knows no database.

Nothing that is there is ever replaced by something else, but for `checkpoint`, the newest head. Each head is also kept
in checkpoints/ under its size. Parts of a tile are deleted once the whole tile is there, which begins with them.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from governance.audit.stillwatch_verify import (
    TILE_WIDTH,
    LogFaultError,
    SignedCheckpoint,
    TileTree,
    UnknownKeyError,
    VerifierKey,
    number_path,
    open_checkpoint,
    split_bundle,
    tile_path,
    tree_head,
)

HASH_BYTES = 32


class LogFolder:
    """Every method raises OSError if the folder cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def newest(self, keys: Sequence[VerifierKey]) -> SignedCheckpoint | None:
        """Return the newest checkpoint, None in an empty folder. Raises LogFaultError if none of the keys signed it."""
        try:
            note = (self.path / "checkpoint").read_text("utf-8", "replace")
        except FileNotFoundError:
            if (self.path / "tile").exists() or (self.path / "checkpoints").exists():
                raise LogFaultError("the published log has lost its file checkpoint") from None
            return None
        try:
            return open_checkpoint(note, keys)
        except UnknownKeyError as error:
            published, names = note.partition("\n")[0], {key.name for key in keys}
            if published in names:
                raise
            other = f"the folder holds the log {published}, and AUDIT_ORIGIN names {', '.join(sorted(names))}"
            raise LogFaultError(f"{other}: set it back, or name an empty AUDIT_FOLDER for another log") from error

    def tree(self, published: SignedCheckpoint) -> TileTree:
        """Return the tree of a checkpoint. Raises LogFaultError if the tiles do not have its head."""
        levels = []
        for level in range(-(-published.size.bit_length() // 8)):
            in_all = published.size >> 8 * level
            levels.append(self.hashes(level, in_all // TILE_WIDTH, in_all % TILE_WIDTH))
        tree = TileTree(published.size, levels)
        if tree.head() != published.root:
            raise LogFaultError("the published tiles are not those of the published checkpoint")
        return tree

    def hashes(self, level: int, index: int, width: int) -> list[bytes]:
        """Return the first `width` hashes of a tile. Raises LogFaultError."""
        if width == 0:
            return []
        tile = self._read_tile(level, index, width)
        if len(tile) < width * HASH_BYTES:
            raise LogFaultError(f"the published tile {tile_path(level, index, width)} is too short")
        return [tile[place * HASH_BYTES : (place + 1) * HASH_BYTES] for place in range(width)]

    def entries(self, index: int, width: int) -> list[bytes]:
        """Return the first `width` entries of a bundle. Raises LogFaultError."""
        entries = split_bundle(self._read_tile("entries", index, width))[:width]
        if len(entries) < width:
            raise LogFaultError(f"the published bundle {tile_path('entries', index, width)} is too short")
        return entries

    def node(self, size: int, height: int, index: int) -> bytes:
        """Return the hash of the complete subtree over 2**height entries, of a tree of this size. See merkle.Node."""
        level, rest = divmod(height, 8)
        tile, first = divmod(index << rest, TILE_WIDTH)
        width = min(TILE_WIDTH, (size >> 8 * level) - tile * TILE_WIDTH)
        return tree_head(self.hashes(level, tile, width)[first : first + (1 << rest)])

    def add_tile(self, level: int, index: int, hashes: Sequence[bytes]) -> None:
        self._add_tile(level, index, len(hashes), b"".join(hashes))

    def add_entries(self, index: int, entries: Sequence[bytes]) -> None:
        bundle = b"".join(len(entry).to_bytes(2) + entry for entry in entries)
        self._add_tile("entries", index, len(entries), bundle)

    def add_checkpoint(self, size: int, note: str) -> None:
        """Publish a head whose tiles and entries are there."""
        self.add(f"checkpoints/{number_path(size)}", note.encode())
        self._write(self.path / "checkpoint", note.encode())

    def cosign(self, size: int, note: str) -> None:
        """Keep a head with signatures of witnesses beside the plain one, and publish it if it is still the newest."""
        self.add(f"checkpoints/{number_path(size)}.witnessed", note.encode())
        with suppress(FileNotFoundError):
            newest = (self.path / "checkpoint").read_text("utf-8")
            if newest.split("\n")[1] == str(size):
                self._write(self.path / "checkpoint", note.encode())

    def add(self, path: str, content: bytes) -> None:
        """Write a file unless it is there. Raises LogFaultError if it holds something else."""
        file = self.path / path
        if not file.exists():
            with suppress(FileExistsError):
                self._write(file, content, is_new=True)
        if file.read_bytes() != content:
            raise LogFaultError(f"the published file {path} holds something else")

    def _add_tile(self, level: int | str, index: int, width: int, content: bytes) -> None:
        self.add(tile_path(level, index, width), content)
        if width == TILE_WIDTH:
            for part in self._parts(level, index):
                if not content.startswith(part.read_bytes()):
                    raise LogFaultError(f"the published {part.relative_to(self.path)} does not belong to its tile")
                with suppress(PermissionError):  # a folder that lets nothing be deleted keeps them
                    part.unlink()
            with suppress(OSError):
                (self.path / f"{tile_path(level, index)}.p").rmdir()

    def _parts(self, level: int | str, index: int) -> Iterator[Path]:
        yield from sorted((self.path / f"{tile_path(level, index)}.p").glob("[0-9]*"))

    def _read_tile(self, level: int | str, index: int, width: int) -> bytes:
        for path in (tile_path(level, index, width), tile_path(level, index)):
            with suppress(FileNotFoundError):
                return (self.path / path).read_bytes()
        raise LogFaultError(f"the published tile {tile_path(level, index, width)} is missing")

    def _write(self, file: Path, content: bytes, *, is_new: bool = False) -> None:
        """Write a file as a whole or not at all. Raises FileExistsError for one that `is_new` and is there."""
        _make_private(file.parent)
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            if is_new:
                os.link(draft, file)
            else:
                draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)


def _make_private(folder: Path) -> None:
    """Make a folder, and those above it that are not there, for their owner alone."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(0o700, exist_ok=True)
