"""Verify the whole log: every entry by itself, the chain of hashes, and what was published of it."""

from collections.abc import Iterable, Iterator, Sequence

from governance.audit.folder import LogFolder
from governance.audit.models import Checkpoint
from governance.audit.publishing import log_keys
from governance.audit.queries import ChainFault, get_published_log, iter_checked_entries
from governance.audit.stillwatch_verify import (
    TILE_WIDTH,
    LogFaultError,
    TileTree,
    leaf_hash,
    open_checkpoint,
    verify_folder,
)


class HeadCheck:
    """Compares the head of a growing tree with signed checkpoints.

    `heads` are the sizes and roots of checkpoints. Raises LogFaultError for two of one size that differ.
    """

    def __init__(self, heads: Iterable[tuple[int, bytes]]) -> None:
        self._tree = TileTree()
        self._fitting = 0
        self._heads: dict[int, bytes] = {}
        for size, root in heads:
            if self._heads.setdefault(size, root) != root:
                raise LogFaultError(f"two checkpoints of {size} entries differ")

    def add(self, leaf: bytes) -> None:
        """Raises LogFaultError as soon as the tree is not that of a checkpoint."""
        self._tree.append(leaf_hash(leaf))
        size = self._tree.size
        if (root := self._heads.get(size)) is None:
            return
        if root != self._tree.head():
            first = self._fitting + 1
            raise LogFaultError(f"entries {first} to {size} are not those of the checkpoint of {size}", first=first)
        self._fitting = size

    def finish(self) -> None:
        """Raises LogFaultError if a checkpoint has more entries than the tree."""
        size, wanted = self._tree.size, max(self._heads, default=0)
        if wanted > size:
            raise LogFaultError(f"entries {size + 1} to {wanted} are missing", first=size + 1)


class LogCheck:
    """One walk over the log in the database, beside the folder to which it was published.

    `kept` are checkpoints that were kept elsewhere. Raises LogFaultError for one that is not signed by the log.
    """

    def __init__(self, *, kept: Sequence[str] = ()) -> None:
        self.entries = 0
        self.fault: LogFaultError | None = None
        log = get_published_log()
        self._folder = LogFolder(log.path)
        self._keys = [key.verifier for key in log_keys(log)]
        opened = [open_checkpoint(note, self._keys) for note in kept]
        recorded = Checkpoint.objects.of_log(log.origin).values_list("size", "root")
        heads = [*((one.size, one.root) for one in opened), *((size, bytes(root)) for size, root in recorded)]
        self._heads = HeadCheck(heads)
        self._bundle: list[bytes] = []
        newest = self._folder.newest(self._keys) if self._keys else None
        self.published = newest.size if newest else 0
        self.path = log.path

    def walk(self) -> Iterator[ChainFault | None]:
        """For every entry in order yield None, or what is wrong with it by itself. `fault` says what does not fit."""
        for checked in iter_checked_entries():
            yield checked.fault
            if self.fault is None:
                try:
                    self._compare(checked.leaf)
                    self._heads.add(checked.leaf)
                except LogFaultError as fault:
                    self.fault = fault
            self.entries += 1
        if self.fault is None:
            try:
                self._finish()
            except LogFaultError as fault:
                self.fault = fault

    def _compare(self, leaf: bytes) -> None:
        """Compare what is in the place of the next entry with what was published there."""
        if self.entries >= self.published:
            return
        index, place = divmod(self.entries, TILE_WIDTH)
        if place == 0:
            self._bundle = self._folder.entries(index, min(TILE_WIDTH, self.published - self.entries))
        if self._bundle[place] != leaf:
            number = self.entries + 1
            raise LogFaultError(f"entry {number} is not what was published", first=number)

    def _finish(self) -> None:
        self._heads.finish()
        if self.entries < self.published:
            first = self.entries + 1
            raise LogFaultError(f"entries {first} to {self.published} are missing", first=first)
        if self.published:
            verify_folder(self._folder.path, self._keys)
