"""Messages from Stillwatch to gateways: parsing and checks.

A snapshot is lines of JSON: a head with `sequence` and `count`, then one restriction a line, in the order of their
numbers. Changes are one JSON document: the changes from `after` up to `sequence`, each with the next number.

A message must be signed, within the limits, complete and in order, or all of it is refused. What is inside one
restriction or change may be newer than this client: that refuses nothing else, and is counted as a fault.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from stillwatch_gateway.entries import RestrictionEntry
from stillwatch_gateway.entry_reader import ReadEntry, is_number, read_entry, usable_entries
from stillwatch_gateway.epochs import Epoch, parse_epoch

FORMAT: Final = 1
MOST_CHANGES_BYTES: Final = 64 * 2**20
MOST_SNAPSHOT_BYTES: Final = 2**30
LONGEST_LINE: Final = 64 * 2**20


class BadMessageError(ValueError):
    """Something that Stillwatch did not say, or not so."""


class SnapshotHead(NamedTuple):
    """How a snapshot begins. `closed` are the plans whose customers are refused while Stillwatch cannot be reached.

    `faults` are sentences about restrictions that could not be read, or only in part; blank until all are read.
    """

    sequence: int
    size: int
    closed: frozenset[str]
    epoch: Epoch = Epoch()
    faults: tuple[str, ...] = ()


class ChangesMessage(NamedTuple):
    """What happened between `after` and `sequence`: number, restriction, number of a restriction that ended.

    `age` is for how many seconds Stillwatch itself had not seen whether there is anything newer. `faults` are sentences
    about changes that could not be read, or only in part.
    """

    after: int
    sequence: int
    changes: list[tuple[int, RestrictionEntry | None, int | None]]
    closed: frozenset[str]
    epoch: Epoch = Epoch()
    age: float = 0.0
    faults: tuple[str, ...] = ()


def signing_key(service_key: str) -> bytes:
    """With which messages to the owner of this service key are signed; Stillwatch keeps its digest only."""
    return signing_key_of_digest(hashlib.sha256(service_key.encode()).digest())


def signing_key_of_digest(digest: bytes) -> bytes:
    return hmac.digest(digest, b"stillwatch feed 1", "sha256")


def signature(key: bytes, digest: str) -> str:
    """Over the SHA-256 of a body, in hexadecimal both."""
    return hmac.new(key, digest.encode(), "sha256").hexdigest()


def check_signature(key: bytes, digest: str, signed: str | None) -> None:
    """Raises BadMessageError."""
    if signed is None or not hmac.compare_digest(signature(key, digest).encode(), signed.encode()):
        raise BadMessageError("the signature does not fit")


def read_changes(body: bytes) -> ChangesMessage:
    """Raises BadMessageError."""
    document = _json(body)
    _same_format(document)
    after, sequence = _number(document, "after"), _number(document, "sequence")
    listed = document.get("changes")
    if not isinstance(listed, list) or sequence != after + len(listed):
        raise BadMessageError("changes are missing")
    changes: list[tuple[int, RestrictionEntry | None, int | None]] = []
    faults: list[str] = []
    for number, change in enumerate(listed, start=after + 1):
        if not isinstance(change, dict) or _number(change, "sequence") != number:
            raise BadMessageError(f"change {number} is not where it should be")
        entry, ended, fault = _read_change(change)
        changes.append((number, entry, ended))
        if fault:
            faults.append(f"change {number}: {fault}")
    return ChangesMessage(
        after, sequence, changes, _fail_closed_plans(document), parse_epoch(document), _age(document), tuple(faults)
    )


def _read_change(change: dict[str, Any]) -> tuple[RestrictionEntry | None, int | None, str]:
    """Return the restriction, the number of one that ended, and what could not be read."""
    if "restriction" in change:
        entry, fault = read_entry(change["restriction"])
        return entry, None, fault
    if is_number(change.get("ended")):
        return None, change["ended"], ""
    return None, None, "neither a restriction nor an end"


def read_snapshot(
    lines: Iterable[bytes], faults: list[str] | None = None
) -> tuple[SnapshotHead, Iterator[RestrictionEntry]]:
    """The head, and the restrictions as they are read; the last raises BadMessageError where any is missing.

    What cannot be read is added to `faults`.
    """
    rest = iter(lines)
    head = _head(next(rest, b""))
    return head, usable_entries(_entries(rest, head), [] if faults is None else faults)


def _head(line: bytes) -> SnapshotHead:
    document = _json(line)
    _same_format(document)
    return SnapshotHead(
        _number(document, "sequence"), _number(document, "count"), _fail_closed_plans(document), parse_epoch(document)
    )


def _entries(lines: Iterable[bytes], head: SnapshotHead) -> Iterator[ReadEntry]:
    count, last = 0, 0
    for line in lines:
        try:
            read = read_entry(json.loads(line))
        except (ValueError, RecursionError):
            read = ReadEntry(None, "a line is no JSON")
        if read.entry is not None:
            number = read.entry.number
            if not read.entry.is_whole:
                read = ReadEntry(read.entry._replace(is_whole=True), f"restriction {number} lacks names")
            if not last < number <= head.sequence:
                raise BadMessageError(f"restriction {number} after {last} of {head.sequence}")
            last = number
        count += 1
        yield read
    if count != head.size:
        raise BadMessageError(f"{count} restrictions of {head.size}")


def _same_format(document: dict[str, Any]) -> None:
    if document.get("format") != FORMAT:
        raise BadMessageError(f"format {document.get('format')!r} is not known: this client reads {FORMAT}")


def _fail_closed_plans(document: dict[str, Any]) -> frozenset[str]:
    closed = document.get("fail_closed_plans")
    if not isinstance(closed, list) or not all(isinstance(plan, str) for plan in closed):
        raise BadMessageError("fail_closed_plans is missing")
    return frozenset(closed)


def _age(document: dict[str, Any]) -> float:
    """Servers of older releases do not say."""
    age = document.get("age")
    return float(age) if isinstance(age, int | float) and not isinstance(age, bool) and age >= 0 else 0.0


def _json(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("this is no JSON") from error
    if not isinstance(document, dict):
        raise BadMessageError("this is no JSON object")
    return document


def _number(document: dict[str, Any], name: str) -> int:
    number = document.get(name)
    if not is_number(number):
        raise BadMessageError(f"{name} is no number")
    return int(number)
