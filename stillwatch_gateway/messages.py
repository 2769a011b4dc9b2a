"""Messages from Stillwatch to gateways: parsing and checks.

A snapshot is lines of JSON: a head with `sequence` and `count`, then one restriction a line, in the order of their
numbers. Changes are one JSON document: the changes from `after` up to `sequence`, each with the next number.

A message must be signed, within the limits, complete and in order, or all of it is refused. What is inside one
restriction or change may be newer than this client: that refuses nothing else. A restriction that denies access, or
does not say that it does not, is applied to whom it names with what can be read; any other that cannot be read is
skipped. Both are counted as faults.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeGuard

from stillwatch_gateway.entries import DENYING, FOREVER, KINDS, NAMED_BY, EntryTerms, RestrictionEntry
from stillwatch_gateway.epochs import Epoch, read_epoch
from stillwatch_gateway.normalization import name_of

FORMAT: Final = 1
MOST_CHANGES_BYTES: Final = 64 * 2**20
MOST_SNAPSHOT_BYTES: Final = 2**30
LONGEST_LINE: Final = 64 * 2**20
LONGEST_NAME: Final = 200
KNOWN_NAMES: Final = tuple(f"{kind}:" for kind in NAMED_BY)


class BadMessageError(ValueError):
    """Something that Stillwatch did not say, or not so."""


class ReadEntry(NamedTuple):
    """One restriction as far as it can be read.

    `entry` is None where there is nothing to apply; `fault` says what could not be read, and is blank otherwise.
    """

    entry: RestrictionEntry | None
    fault: str = ""


class Head(NamedTuple):
    """How a snapshot begins. `closed` are the plans whose customers are refused while Stillwatch cannot be reached.

    `faults` are sentences about restrictions that could not be read, or only in part; blank until all are read.
    """

    sequence: int
    size: int
    closed: frozenset[str]
    epoch: Epoch = Epoch()
    faults: tuple[str, ...] = ()


class Changes(NamedTuple):
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
    """With which messages to the holder of this service key are signed; Stillwatch keeps its digest only."""
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


def read_changes(body: bytes) -> Changes:
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
    return Changes(after, sequence, changes, _closed(document), read_epoch(document), _age(document), tuple(faults))


def _read_change(change: dict[str, Any]) -> tuple[RestrictionEntry | None, int | None, str]:
    """Return the restriction, the number of one that ended, and what could not be read."""
    if "restriction" in change:
        entry, fault = read_entry(change["restriction"])
        return entry, None, fault
    if _is_number(change.get("ended")):
        return None, change["ended"], ""
    return None, None, "neither a restriction nor an end"


def read_snapshot(lines: Iterable[bytes], faults: list[str] | None = None) -> tuple[Head, Iterator[RestrictionEntry]]:
    """The head, and the restrictions as they are read; the last raises BadMessageError where any is missing.

    What cannot be read is added to `faults`.
    """
    rest = iter(lines)
    head = _head(next(rest, b""))
    return head, usable_entries(_entries(rest, head), [] if faults is None else faults)


def _head(line: bytes) -> Head:
    document = _json(line)
    _same_format(document)
    return Head(_number(document, "sequence"), _number(document, "count"), _closed(document), read_epoch(document))


def _entries(lines: Iterable[bytes], head: Head) -> Iterator[ReadEntry]:
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


def read_entry(payload: Any) -> ReadEntry:
    """Read one restriction, whatever it is, with all its names or, where it has many, those that changed."""
    faults: list[str] = []
    if not isinstance(payload, dict) or not _is_number(payload.get("number")):
        return ReadEntry(None, "a restriction has no number")
    is_whole = "names" in payload or "names_added" not in payload
    names = tuple(_names(payload.get("names" if is_whole else "names_added"), faults))
    removed = () if is_whole else tuple(_names(payload.get("names_removed"), faults))
    if not any(name.startswith(KNOWN_NAMES) for name in (*names, *removed)):
        faults.append("it names nobody")
    number, since, until = payload["number"], _time(payload, "from", faults), _time(payload, "until", faults)
    if until <= since:
        faults.append("it ends before it starts")
        until = FOREVER
    terms, denies = _terms(payload, names, faults)
    fault = f"restriction {number}: {', '.join(faults)}" if faults else ""
    if not (names or removed) or (faults and not denies):
        return ReadEntry(None, fault)
    target = _target(payload.get("against"), names)
    return ReadEntry(RestrictionEntry(number, terms, since, until, names, is_whole, removed, target), fault)


def _target(against: Any, names: Iterable[str]) -> str:
    """Whom a restriction is against; servers of older releases may not say by which kind of name."""
    named = [name for kind in NAMED_BY for name in names if name.startswith(f"{kind}:")]
    kind = f"{against}:" if against in NAMED_BY else ""
    return next((name for name in named if name.startswith(kind)), kind)


def _terms(payload: dict[str, Any], names: Iterable[str], faults: list[str]) -> tuple[EntryTerms, bool]:
    """What is asked, and whether that denies access: as the message says, else as the kind does, else it does."""
    kind, denies = payload.get("kind"), payload.get("denies")
    if not isinstance(kind, str):
        kind = ""
    if not isinstance(denies, bool):
        denies = kind in DENYING or kind not in KINDS
    requests, tokens = _limit(payload, "requests_per_minute", faults), _limit(payload, "tokens_per_minute", faults)
    withheld = _withheld(payload, faults)
    reason = payload.get("reason")
    if not isinstance(reason, str) or not reason:
        faults.append("reason is no text")
        reason = "unknown"
    if kind == "throttle" and requests is None and tokens is None:
        faults.append("a throttle has no limit")
    if kind not in KINDS:
        faults.append(f"kind {kind[:LONGEST_NAME]!r} is not known")
    own_word = None if kind in KINDS and denies == (kind in DENYING) else denies
    each_account = payload.get("against") == "organisation" or any(name.startswith("organisation:") for name in names)
    return EntryTerms(kind or "unknown", reason, requests, tokens, withheld, own_word, each_account), denies


def usable_entries(read: Iterable[ReadEntry], faults: list[str]) -> Iterator[RestrictionEntry]:
    """The entries that can be applied; what could not be read is added to `faults`."""
    for entry, fault in read:
        if fault:
            faults.append(fault)
        if entry is not None:
            yield entry


def _names(named: Any, faults: list[str]) -> Iterator[str]:
    if not isinstance(named, dict):
        faults.append("it does not say whom it is against")
        return
    for kind, names in named.items():
        usable_entries = [name for name in names if _is_name(name)] if isinstance(names, list) else []
        if not isinstance(names, list) or len(usable_entries) != len(names):
            faults.append(f"names of kind {kind[:LONGEST_NAME]!r} cannot be read")
        yield from (name_of(kind, name) for name in usable_entries)


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME


def _same_format(document: dict[str, Any]) -> None:
    if document.get("format") != FORMAT:
        raise BadMessageError(f"format {document.get('format')!r} is not known: this client reads {FORMAT}")


def _closed(document: dict[str, Any]) -> frozenset[str]:
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
    if not _is_number(number):
        raise BadMessageError(f"{name} is no number")
    return int(number)


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _limit(payload: dict[str, Any], name: str, faults: list[str]) -> int | None:
    limit = payload.get(name)
    if limit is None or _is_number(limit):
        return limit
    faults.append(f"{name} is no number")
    return None


def _withheld(payload: dict[str, Any], faults: list[str]) -> tuple[str, ...]:
    withheld = payload.get("withheld", [])
    if isinstance(withheld, list) and all(isinstance(what, str) and what for what in withheld):
        return tuple(sorted(withheld))
    faults.append("withheld is no list of texts")
    return ()


def _time(payload: dict[str, Any], name: str, faults: list[str]) -> float:
    """Seconds since 1970; a beginning that cannot be read has been, and an end that cannot be read never comes."""
    text = payload.get(name)
    if text is None and name == "until":
        return FOREVER
    try:
        time = datetime.fromisoformat(text)  # type: ignore[arg-type] # whatever it is
        if time.tzinfo is not None:
            return time.timestamp()
    except (TypeError, ValueError, OverflowError):
        pass
    faults.append(f"{name} is no time with a time zone")
    return 0.0 if name == "from" else FOREVER
