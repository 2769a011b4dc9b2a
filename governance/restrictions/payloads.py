"""Restrictions in the form sent to gateways, read back after a restore. Reports of gateways may contain anything."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from governance.restrictions.kinds import RestrictionKind, Withheld, missing_need
from governance.restrictions.reasons import RESTRICTING, Reason
from governance.restrictions.terms import Terms, parse_terms

Payload = Mapping[str, Any]

LONGEST_NAME: Final = 128
DIGEST: Final = re.compile("[0-9a-f]{64}")


def payload_names(payload: Payload, kind: str) -> list[str]:
    """Return the names of a kind, without those that cannot be ids or digests."""
    names = payload.get("names")
    listed = names.get(kind) if isinstance(names, Mapping) else None
    return [name for name in listed if _is_name(kind, name)] if isinstance(listed, list) else []


def _is_name(kind: str, name: object) -> bool:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        return False
    return kind != "digest" or DIGEST.fullmatch(name) is not None


def merge_payloads(before: Payload, change: Payload) -> dict[str, Any]:
    """Return the payload of a restriction after a further change of it, which has all names or which came and went."""
    merged = {name: value for name, value in change.items() if name not in {"names_added", "names_removed"}}
    if "names" in change:
        return merged | {"names": change["names"]}
    known, added, removed = before.get("names", {}), change.get("names_added", {}), change.get("names_removed", {})
    names = {
        kind: sorted({*known.get(kind, ())} - {*removed.get(kind, ())} | {*added.get(kind, ())})
        for kind in dict.fromkeys([*known, *added])
    }
    return merged | {"names": names}


def parse_payload(payload: Payload, *, now: datetime) -> Terms | None:
    """Return the terms; None where they are over, or where this release does not know the kind or what it needs."""
    try:
        RestrictionKind(payload["kind"])
        starts_at = _time(payload["from"])
        until = _time(payload["until"]) if payload.get("until") else None
        withheld = sorted({Withheld(feature).value for feature in payload.get("withheld") or ()})
    except (KeyError, TypeError, ValueError):
        return None
    if until is not None and until <= max(starts_at, now):
        return None
    if missing_need(payload["kind"], payload) is not None:
        return None
    others = {
        "reason": payload["reason"] if payload.get("reason") in RESTRICTING else Reason.OTHER,
        "starts_at": starts_at if starts_at > now else None,
        "withheld": withheld,
    }
    try:
        return parse_terms(payload, until=until, **others)
    except msgspec.ValidationError:
        return None


def _time(text: str) -> datetime:
    """Raises ValueError where it has no time zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError
    return time
