"""Prove that an entry is in the newest published checkpoint, as C2SP tlog-proof writes it."""

import base64
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from governance.audit.folder import LogFolder
from governance.audit.merkle import inclusion_proof, is_included
from governance.audit.models import Checkpoint
from governance.audit.queries import get_published_log
from governance.audit.stillwatch_verify import LogFaultError, leaf_hash

# Entries in order share most of their proofs.
NODES_KEPT = 4_096


class InclusionProof(NamedTuple):
    """The hashes that lead from an entry to the head of the tree that the checkpoint signs."""

    number: int
    leaf_hash: bytes
    hashes: Sequence[bytes]
    checkpoint: Checkpoint

    @property
    def text(self) -> str:
        """As a file that every verifier of tlog-proof reads."""
        lines = ["c2sp.org/tlog-proof@v1", f"index {self.number - 1}", *self.lines, ""]
        return "\n".join(lines) + f"\n{self.checkpoint.note}{self.checkpoint.cosignatures}"

    @property
    def lines(self) -> list[str]:
        return [base64.b64encode(step).decode() for step in self.hashes]

    @property
    def head(self) -> str:
        return base64.b64encode(bytes(self.checkpoint.root)).decode()


class Prover:
    """Makes proofs from the published tiles, of the newest checkpoint or an earlier one that is given.

    `checkpoint` is None while nothing is published.
    """

    def __init__(self, checkpoint: Checkpoint | None = None) -> None:
        log = get_published_log()
        self.checkpoint = checkpoint or Checkpoint.objects.of_log(log.origin).first()
        size = self.checkpoint.size if self.checkpoint else 0
        self._path = log.path
        self._node = lru_cache(NODES_KEPT)(partial(LogFolder(log.path).node, size))

    def prove(self, number: int, leaf: bytes) -> InclusionProof | None:
        """Return the proof of an entry, None for one that is not published yet.

        Raises LogFaultError if what was published there is something else, OSError if that cannot be read.
        """
        checkpoint = self.checkpoint
        if checkpoint is None or number > checkpoint.size:
            return None
        self._path.stat()  # where there is no folder, nothing is missing in it
        hashed = leaf_hash(leaf)
        hashes = inclusion_proof(number - 1, checkpoint.size, self._node)
        if not is_included(hashed, number - 1, checkpoint.size, hashes, bytes(checkpoint.root)):
            raise LogFaultError(f"entry {number} is not what was published", first=number)
        return InclusionProof(number, hashed, hashes, checkpoint)
