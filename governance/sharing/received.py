"""Reading the STIX objects of a partner: what can be compared here, and what is wrong with the rest.

Whatever one object holds, it never takes its neighbours along.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import stix2

from governance.detection.indicator_kinds import IndicatorKind
from governance.sharing.models import LONGEST_DAYS, USUAL_DAYS
from governance.sharing.patterns import Pattern, PatternError, parse_pattern
from governance.sharing.values import fingerprint_key_id

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_OBJECTS: Final = 10_000
LONGEST_WHY: Final = 200
LONGEST_ID: Final = 100
# Clocks differ. What says it is from later would keep every true version out.
LATEST: Final = timedelta(days=1)


class UnreadableObjectsError(Exception):
    """This is no list of STIX objects, or too long a one. The message says why."""


class ReceivedIndicator(NamedTuple):
    """An indicator that can be compared here."""

    stix_id: str
    pattern: Pattern
    modified_at: datetime
    valid_from: datetime
    valid_until: datetime
    is_revoked: bool


class Fault(NamedTuple):
    """An object that was left out: its place among all, from 1 on, its id as far as it has one, and why."""

    place: int
    stix_id: str
    why: str


class ReceivedObjects(NamedTuple):
    """The newest version of each indicator. `others` counts what is no indicator: groupings, sightings, markings."""

    indicators: Sequence[ReceivedIndicator]
    others: int
    faults: Sequence[Fault]


class _FaultError(Exception):
    pass


def read_objects(content: bytes, *, now: datetime) -> ReceivedObjects:
    """Return what a STIX bundle or a TAXII envelope holds. Raises UnreadableObjectsError."""
    newest: dict[str, ReceivedIndicator] = {}
    faults, others, key_id = [], 0, fingerprint_key_id()
    for place, given in enumerate(_objects(content), 1):
        if isinstance(given, dict) and isinstance(given.get("type"), str) and given["type"] != "indicator":
            others += 1
            continue
        try:
            one = _read_indicator(given, key_id=key_id, now=now)
        except (_FaultError, PatternError) as error:
            faults.append(Fault(place, _shown_id(given), str(error)))
        else:
            before = newest.get(one.stix_id)
            if before is None or before.modified_at <= one.modified_at:
                newest[one.stix_id] = one
    return ReceivedObjects([*newest.values()], others, faults)


def _objects(content: bytes) -> Iterable[Any]:
    if len(content) > MOST_BYTES:
        raise UnreadableObjectsError(f"It is longer than {MOST_BYTES // 2**20} MB.")
    try:
        bundle = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnreadableObjectsError("It is no JSON in UTF-8.") from None
    objects = bundle.get("objects", []) if isinstance(bundle, dict) else None
    if not isinstance(objects, list):
        raise UnreadableObjectsError("It is no STIX bundle and no TAXII envelope: those have a list of objects.")
    if len(objects) > MOST_OBJECTS:
        raise UnreadableObjectsError(f"It has more than {MOST_OBJECTS:,} objects.")
    return objects


def _read_indicator(given: Any, *, key_id: str, now: datetime) -> ReceivedIndicator:
    if not isinstance(given, dict):
        raise _FaultError("It is no STIX object.")
    pattern = given.get("pattern")
    if given.get("pattern_type") != "stix" or not isinstance(pattern, str):
        raise _FaultError("Its pattern is not in the language of STIX.")
    parsed = parse_pattern(pattern)
    try:
        said: Mapping[str, Any] = stix2.parse(given, allow_custom=True, version="2.1")
    except Exception as error:  # noqa: BLE001 - whatever a partner sends, the next object is read
        raise _FaultError(_plain(str(error) or type(error).__name__)) from None
    if parsed.kind is IndicatorKind.WRAPPER and not parsed.value.startswith(f"{key_id}:"):
        raise _FaultError("Its fingerprint was made with another FINGERPRINT_KEY, and fits nothing here.")
    modified, begins = said["modified"], said["valid_from"]
    if max(modified, begins) > now + LATEST and not said.get("revoked"):
        raise _FaultError("It is dated later than today.")
    until = said.get("valid_until") or begins + timedelta(days=USUAL_DAYS)
    return ReceivedIndicator(
        stix_id=str(said["id"]),
        pattern=parsed,
        modified_at=modified,
        valid_from=begins,
        valid_until=min(until, now + timedelta(days=LONGEST_DAYS)),
        is_revoked=bool(said.get("revoked")),
    )


def _shown_id(given: Any) -> str:
    stix_id = given.get("id") if isinstance(given, dict) else None
    return _plain(stix_id)[:LONGEST_ID] if isinstance(stix_id, str) else ""


def _plain(text: str) -> str:
    """Return text of a partner on one line, for a report."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:LONGEST_WHY]
