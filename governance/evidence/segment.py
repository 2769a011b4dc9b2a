"""The part of the audit log that a bundle holds: the entries about its case, each with its proof."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from governance.audit.folder import LogFolder
from governance.audit.merkle import consistency_proof
from governance.audit.models import Checkpoint
from governance.audit.notes import format_key
from governance.audit.proofs import Prover
from governance.audit.publishing import log_keys
from governance.audit.queries import content_of, get_published_log, leaf_of, open_fields
from governance.evidence.redaction import Redaction
from governance.evidence.scope import Scope


def iter_entries(scope: Scope, redaction: Redaction) -> Iterator[dict[str, Any]]:
    """Yield what of each entry is shown, oldest first. Raises LogFaultError if one is not what was published."""
    prover = Prover(scope.checkpoint)
    entries = scope.entries.filter(number__lte=scope.checkpoint.size).oldest_first()
    for entry in entries.iterator(chunk_size=2_000):
        leaf, content = leaf_of(entry), content_of(entry)
        proof = prover.prove(entry.number, leaf)
        fields = {
            name: field
            for name, field in open_fields(entry).items()
            if not redaction.hides_of_entry(entry.verb, name, content)
        }
        yield {
            "number": entry.number,
            "leaf": leaf.decode(),
            "fields": fields,
            "proof": proof.lines if proof else [],
        }


def public_keys() -> str:
    """The keys by which the checkpoint and the manifest are verified, one a line."""
    return "".join(f"{format_key(key.verifier)}\n" for key in log_keys())


def signed_head(checkpoint: Checkpoint) -> str:
    """The checkpoint, with the signatures of witnesses if it has them."""
    return f"{checkpoint.note}{checkpoint.cosignatures}"


def iter_time_stamp_files(checkpoint: Checkpoint) -> Iterator[tuple[str, str | bytes]]:
    """Yield the files that hold the time stamp (RFC 3161) of the checkpoint, or of the first later one that has one:
    the stamp, what was stamped, and the proof that it goes on from this one. None where no authority stamped the log
    since.
    """
    stamped = Checkpoint.objects.of_log(checkpoint.origin).filter(size__gte=checkpoint.size, time_stamp__isnull=False)
    if (first := stamped.order_by("size").first()) is None:
        return
    node = partial(LogFolder(get_published_log().path).node, first.size)
    proof = [step.hex() for step in consistency_proof(checkpoint.size, first.size, node)]
    yield "log/time-stamp.tsr", bytes(first.time_stamp or b"")
    yield "log/stamped-checkpoint", first.note  # as it was stamped: witnesses sign later
    yield "log/consistency.json", json.dumps(proof) + "\n"
