"""Publish the log to a folder outside of the database, from which outsiders verify it (folder.py).

What is published is only ever added to. If the database no longer holds what the folder holds, nothing more is
published, and `doctor` and a banner say so.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.folder import LogFolder
from governance.audit.models import Checkpoint, Entry, PublicationTrouble
from governance.audit.notes import LogKey, format_key, sign_checkpoint
from governance.audit.queries import PublishedLog, count_entries, get_published_log, iter_leaves
from governance.audit.stillwatch_verify import TILE_WIDTH, LogFaultError, SignedCheckpoint, TileTree, leaf_hash
from governance.audit.verbs import Verb
from governance.platform.locks import Lock, advisory_lock

# So many full bundles are compared with the database each time, one after another over the whole log.
COMPARED_EACH_TIME: Final = 8
PUBLISHER: Final = Actor.system("publisher")

logger = logging.getLogger(__name__)


def log_keys(log: PublishedLog | None = None) -> list[LogKey]:
    """Return the keys that sign a log, or the one that is published now, the newest first.

    Raises ValueError for a setting that is none.
    """
    origin = (log or get_published_log()).origin
    return [LogKey(origin, seed) for seed in settings.AUDIT_KEYS]


def newest_log_in_folder() -> PublishedLog:
    """Return the log that was begun last of those that lie in AUDIT_FOLDER."""
    names = (file.parent.name for file in Path(settings.AUDIT_FOLDER).glob("*T*Z/checkpoint"))
    return PublishedLog(max(names, default=""))


def publish(*, now: datetime) -> Checkpoint | None:
    """Publish what is new, unless another process is doing so. Return the newest checkpoint if it is new.

    May be repeated at any point: what is in the folder says how far it got.
    """
    if not settings.AUDIT_KEYS:
        return None
    with advisory_lock(Lock.LOG_PUBLICATION) as is_alone:
        if not is_alone:
            return None
        log = get_published_log()
        keys = log_keys(log)
        try:
            _record_new_keys(keys, now=now)
            checkpoint = _publish(log, keys, now=now)
        except LogFaultError as fault:
            remember_trouble(PublicationTrouble.Kind.FAULT, str(fault), entry=fault.first, now=now)
            return None
        except OSError as error:  # says nothing about whether the log fits
            remember_trouble(PublicationTrouble.Kind.FOLDER, f"{error.strerror}: {error.filename}", now=now)
            return None
    PublicationTrouble.objects.filter(kind__in=[PublicationTrouble.Kind.FAULT, PublicationTrouble.Kind.FOLDER]).delete()
    return checkpoint


def remember_trouble(kind: PublicationTrouble.Kind, message: str, *, now: datetime, entry: int | None = None) -> None:
    """Keep what goes wrong, and since when, for `doctor`."""
    logger.error("The audit log, %s: %s.", kind.label, message)
    found = {"message": message, "entry": entry}
    PublicationTrouble.objects.update_or_create(kind=kind, defaults=found, create_defaults={**found, "since": now})


def _record_new_keys(keys: Sequence[LogKey], *, now: datetime) -> None:
    """Let the log itself say with which keys it is signed, and from when on."""
    for key in reversed(keys):
        text = format_key(key.verifier)
        subject = ("log_key", key.verifier.key_id.hex())
        if not Entry.objects.filter(verb=Verb.LOG_KEY_USED, details__key=text).exists():
            with transaction.atomic():
                record(Verb.LOG_KEY_USED, subject=subject, by=PUBLISHER, now=now, details={"key": text})


def _publish(log: PublishedLog, keys: Sequence[LogKey], *, now: datetime) -> Checkpoint | None:
    if (later := newest_log_in_folder()).name > log.name:
        raise LogFaultError(f"the database does not know that the log {later.origin} was begun")
    folder = LogFolder(log.path)
    verifiers = [key.verifier for key in keys]
    published = folder.newest(verifiers)
    last = Checkpoint.objects.of_log(log.origin).first()
    size = count_entries()
    if published is None:
        if last is not None:
            _check_against(last, size)
        tree = TileTree()
    else:
        if last is not None and published.size < last.size:
            raise LogFaultError(f"the folder holds {published.size} entries, and {last.size} were published")
        if last is not None and published.size == last.size and published.root != bytes(last.root):
            raise LogFaultError(f"the folder holds other {published.size} entries than were published")
        _check_published(folder, published, size, now=now)
        tree = folder.tree(published)
    if published is None or published.size < size:
        _add_entries(folder, tree, size)
        note = sign_checkpoint(size, tree.head(), keys)
        folder.add_checkpoint(size, note)
        published = folder.newest(verifiers)
    if published is None or (last is not None and last.size == published.size):
        return None
    return _remember(published, folder, keys, now=now)


def _remember(published: SignedCheckpoint, folder: LogFolder, keys: Sequence[LogKey], *, now: datetime) -> Checkpoint:
    checkpoint, _ = Checkpoint.objects.get_or_create(
        origin=published.origin,
        size=published.size,
        defaults={
            "root": published.root,
            "note": sign_checkpoint(published.size, published.root, keys),
            "at": now,
            "folder": str(folder.path),
        },
    )
    return checkpoint


def _add_entries(folder: LogFolder, tree: TileTree, size: int) -> None:
    """Write the entries after those of the tree, up to `size`, and grow the tree by them."""
    for index in range(tree.size // TILE_WIDTH, -(-size // TILE_WIDTH)):
        start, end = index * TILE_WIDTH, min((index + 1) * TILE_WIDTH, size)
        entries = list(iter_leaves(start + 1, end))
        if len(entries) != end - start:
            raise LogFaultError(f"the log lacks one of the entries {start + 1} to {end}")
        folder.add_entries(index, entries)
        for entry in entries[tree.size - start :]:
            for level, place, hashes in tree.append(leaf_hash(entry)):
                folder.add_tile(level, place, hashes)
    for level, hashes in enumerate(tree.levels):
        if hashes:
            folder.add_tile(level, size >> 8 * (level + 1), hashes)


def _check_published(folder: LogFolder, published: SignedCheckpoint, size: int, *, now: datetime) -> None:
    """Compare the newest published entries, and some of the others in turn, with the database.

    Raises LogFaultError that names the first entry that differs.
    """
    if size < published.size:
        raise LogFaultError(f"the log ends at entry {size}, and entry {published.size} was published", first=size + 1)
    for index in sorted(_bundles_to_compare(published.size, now=now)):
        compare_bundle(folder, index, min(TILE_WIDTH, published.size - index * TILE_WIDTH))


def _bundles_to_compare(size: int, *, now: datetime) -> set[int]:
    """The newest bundle, others in turn, and one that did not fit, which may not be forgotten before it does."""
    bundles = -(-size // TILE_WIDTH)
    turn = int(now.timestamp()) // 60 * COMPARED_EACH_TIME
    chosen = {(turn + place) % bundles for place in range(COMPARED_EACH_TIME)} | {bundles - 1}
    known = PublicationTrouble.objects.filter(kind=PublicationTrouble.Kind.FAULT, entry__range=(1, size))
    return chosen | {(entry - 1) // TILE_WIDTH for entry in known.values_list("entry", flat=True) if entry}


def compare_bundle(folder: LogFolder, index: int, width: int) -> None:
    """Compare the entries of a bundle with the database. Raises LogFaultError that names the first that differs."""
    start = index * TILE_WIDTH
    ours = list(iter_leaves(start + 1, start + width))
    theirs = folder.entries(index, width)
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), start=start + 1):
        if one != other:
            raise LogFaultError(f"entry {number} of the log is not what was published", first=number)
    if len(ours) < width:
        raise LogFaultError(f"the log lacks one of the entries {start + 1} to {start + width}", first=start + 1)


def _check_against(last: Checkpoint, size: int) -> None:
    """Before all of it is published to a new folder. Raises LogFaultError if it is not what was published before."""
    tree = TileTree()
    for entry in iter_leaves(1, min(size, last.size)):
        tree.append(leaf_hash(entry))
    if tree.size < last.size or tree.head() != bytes(last.root):
        raise LogFaultError(f"the log does not begin with the {last.size} entries that were published before")
