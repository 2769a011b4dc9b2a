"""Decide whether a message continues the known epoch or ends it."""

from typing import Final

from stillwatch_gateway.messages import BadMessageError, ChangesMessage, SnapshotHead
from stillwatch_gateway.restriction_set import RestrictionSet

# A snapshot older than what is known is asked for again, since another process of Stillwatch may be ahead. After so
# many it is taken: the database went back in time, and no process noticed.
OLDER_SNAPSHOTS: Final = 10


class OlderSnapshotError(BadMessageError):
    """A snapshot of the same epoch that is older than what is known."""


def refuse_other_epoch(known: RestrictionSet, changes: ChangesMessage) -> None:
    """Raises BadMessageError. Servers of older releases name no epoch, and are followed by the numbers alone."""
    named = changes.epoch.identifier
    if named and known.epoch and named != known.epoch:
        raise BadMessageError(f"changes of epoch {named}, not {known.epoch}")
    known.epoch = named or known.epoch


def ended_epoch(known: RestrictionSet, head: SnapshotHead, *, older_snapshots: int) -> str | None:
    """The epoch that a snapshot ends, None where it goes on with what is known. Raises OlderSnapshotError.

    `older_snapshots` were refused before.
    """
    named = head.epoch.identifier
    if named and known.epoch and named != known.epoch:
        return known.epoch
    if head.sequence >= known.sequence:
        return None
    if older_snapshots < OLDER_SNAPSHOTS:
        raise OlderSnapshotError(f"a snapshot of {head.sequence} is older than {known.sequence}")
    return known.epoch
