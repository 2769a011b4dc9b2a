"""What Stillwatch tells gateways, read with suspicion: signed, bounded, whole, and in order, or not at all.

A snapshot is lines of JSON: a head with `sequence` and `count`, then one restriction a line, in the order of their
numbers. Changes are one JSON document: the changes from `after` up to `sequence`, each with the next number.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from stillwatch_gateway.normalization import name_of
from stillwatch_gateway.restricted import FOREVER, KINDS, NAMED_BY, Entry, Terms

FORMAT: Final = 1
MOST_CHANGES_BYTES: Final = 64 * 2**20
MOST_SNAPSHOT_BYTES: Final = 2**30
LONGEST_LINE: Final = 64 * 2**20
LONGEST_NAME: Final = 200


class BadMessageError(ValueError):
    """Something that Stillwatch did not say, or not so."""


class Head(NamedTuple):
    """How a snapshot begins. `closed` are the plans whose customers are refused while Stillwatch cannot be reached."""

    sequence: int
    size: int
    closed: frozenset[str]


class Changes(NamedTuple):
    """What happened between `after` and `sequence`: number, restriction told, number of a restriction that ended."""

    after: int
    sequence: int
    changes: list[tuple[int, Entry | None, int | None]]
    closed: frozenset[str]


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
    changes: list[tuple[int, Entry | None, int | None]] = []
    for number, change in enumerate(listed, start=after + 1):
        if not isinstance(change, dict) or _number(change, "sequence") != number:
            raise BadMessageError(f"change {number} is not where it should be")
        if "ended" in change:
            changes.append((number, None, _number(change, "ended")))
        else:
            changes.append((number, read_entry(change.get("restriction")), None))
    return Changes(after, sequence, changes, _closed(document))


def read_snapshot(lines: Iterable[bytes]) -> tuple[Head, Iterator[Entry]]:
    """The head, and the restrictions as they are read; the last raises BadMessageError where any is missing."""
    rest = iter(lines)
    head = _head(next(rest, b""))
    return head, _entries(rest, head)


def _head(line: bytes) -> Head:
    document = _json(line)
    _same_format(document)
    return Head(_number(document, "sequence"), _number(document, "count"), _closed(document))


def _entries(lines: Iterable[bytes], head: Head) -> Iterator[Entry]:
    count, last = 0, 0
    for line in lines:
        entry = read_entry(_json(line))
        if not entry.is_whole:
            raise BadMessageError(f"restriction {entry.number} lacks names")
        if not last < entry.number <= head.sequence:
            raise BadMessageError(f"restriction {entry.number} after {last} of {head.sequence}")
        count, last = count + 1, entry.number
        yield entry
    if count != head.size:
        raise BadMessageError(f"{count} restrictions of {head.size}")


def read_entry(told: Any) -> Entry:
    """A restriction as Stillwatch tells it, with all its names or, where it has many, those that changed.

    Raises BadMessageError.
    """
    if not isinstance(told, dict):
        raise BadMessageError("a restriction is missing")
    kind, reason = told.get("kind"), told.get("reason")
    if kind not in KINDS or not isinstance(reason, str) or not reason:
        raise BadMessageError("a restriction has no kind or no reason")
    requests, tokens = _limit(told, "requests_per_minute"), _limit(told, "tokens_per_minute")
    withheld = told.get("withheld")
    if not isinstance(withheld, list) or not all(isinstance(what, str) and what for what in withheld):
        raise BadMessageError("a restriction does not say what is withheld")
    if kind == "throttle" and requests is None and tokens is None:
        raise BadMessageError("a throttle has no limit")
    since, until = _time(told, "from"), _time(told, "until", missing=FOREVER)
    if until <= since:
        raise BadMessageError("a restriction ends before it starts")
    is_whole = "names" in told or "names_added" not in told
    names = tuple(_names(told.get("names" if is_whole else "names_added")))
    removed = () if is_whole else tuple(_names(told.get("names_removed")))
    if not names and not removed:
        raise BadMessageError("a restriction does not say whom it is against")
    return Entry(
        number=_number(told, "number"),
        terms=Terms(kind, reason, requests, tokens, tuple(sorted(withheld))),
        since=since,
        until=until,
        names=names,
        is_whole=is_whole,
        removed=removed,
    )


def _names(named: Any) -> Iterator[str]:
    if not isinstance(named, dict) or set(named) != set(NAMED_BY):
        raise BadMessageError("a restriction does not say whom it is against")
    for kind, names in named.items():
        if not isinstance(names, list):
            raise BadMessageError("names are no list")
        for name in names:
            if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
                raise BadMessageError("a name is blank or too long")
            yield name_of(kind, name)


def _same_format(document: dict[str, Any]) -> None:
    if document.get("format") != FORMAT:
        raise BadMessageError(f"format {document.get('format')!r} is not known: this client reads {FORMAT}")


def _closed(document: dict[str, Any]) -> frozenset[str]:
    closed = document.get("fail_closed_plans")
    if not isinstance(closed, list) or not all(isinstance(plan, str) for plan in closed):
        raise BadMessageError("fail_closed_plans is missing")
    return frozenset(closed)


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
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        raise BadMessageError(f"{name} is no number")
    return number


def _limit(document: dict[str, Any], name: str) -> int | None:
    if name not in document:
        raise BadMessageError(f"{name} is missing")
    return None if document[name] is None else _number(document, name)


def _time(document: dict[str, Any], name: str, missing: float | None = None) -> float:
    text = document.get(name)
    if text is None and missing is not None and name in document:
        return missing
    try:
        time = datetime.fromisoformat(text)  # type: ignore[arg-type] # whatever it is
    except (TypeError, ValueError) as error:
        raise BadMessageError(f"{name} is no time") from error
    if time.tzinfo is None:
        raise BadMessageError(f"{name} names no time zone")
    return time.timestamp()
