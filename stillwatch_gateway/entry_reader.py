"""Reads one restriction of a message: whatever of it can be read.

A restriction that denies access, or does not say that it does not, is applied to whom it names with what can be read.
Any other that cannot be read is skipped. Both are faults.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeGuard

from stillwatch_gateway.entries import DENYING, FOREVER, KINDS, NAMED_BY, EntryTerms, RestrictionEntry
from stillwatch_gateway.normalization import name_of

LONGEST_NAME: Final = 200
KNOWN_NAMES: Final = tuple(f"{kind}:" for kind in NAMED_BY)


class ReadEntry(NamedTuple):
    """One restriction as far as it can be read.

    `entry` is None where there is nothing to apply; `fault` says what could not be read, and is blank otherwise.
    """

    entry: RestrictionEntry | None
    fault: str = ""


def read_entry(payload: Any) -> ReadEntry:
    """Read one restriction, whatever it is, with all its names or, where it has many, those that changed."""
    faults: list[str] = []
    if not isinstance(payload, dict) or not is_number(payload.get("number")):
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


def is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _limit(payload: dict[str, Any], name: str, faults: list[str]) -> int | None:
    limit = payload.get(name)
    if limit is None or is_number(limit):
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
