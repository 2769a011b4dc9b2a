"""A restriction as gateways were told of it, read again after a restore. Gateways report such too, with any words."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from governance.restrictions.models import Reason, Restriction
from governance.restrictions.terms import Terms

Payload = Mapping[str, Any]

LONGEST_NAME: Final = 128
DIGEST: Final = re.compile("[0-9a-f]{64}")


def names_told(told: Payload, kind: str) -> list[str]:
    """The names of a kind, as far as they can be ids or digests."""
    names = told.get("names")
    listed = names.get(kind) if isinstance(names, Mapping) else None
    return [name for name in listed if _is_name(kind, name)] if isinstance(listed, list) else []


def _is_name(kind: str, name: object) -> bool:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        return False
    return kind != "digest" or DIGEST.fullmatch(name) is not None


def fold(known: Payload, change: Payload) -> dict[str, Any]:
    """Return what is told of a restriction after a further change of it: all names, or which came and went."""
    terms = {name: value for name, value in change.items() if name not in {"names", "names_added", "names_removed"}}
    if "names" in change:
        return terms | {"names": change["names"]}
    before, added, removed = known.get("names", {}), change.get("names_added", {}), change.get("names_removed", {})
    names = {
        kind: sorted({*before.get(kind, ())} - {*removed.get(kind, ())} | {*added.get(kind, ())})
        for kind in dict.fromkeys([*before, *added])
    }
    return terms | {"names": names}


def terms_told(told: Payload, *, now: datetime) -> Terms | None:
    """What it asks; None where it is over, or of a kind that this release does not know."""
    try:
        kind = Restriction.Kind(told["kind"])
        starts_at = _time(told["from"])
        until = _time(told["until"]) if told.get("until") else None
    except (KeyError, TypeError, ValueError):
        return None
    requests, tokens, withheld = told.get("requests_per_minute"), told.get("tokens_per_minute"), told.get("withheld")
    if until is not None and until <= max(starts_at, now):
        return None
    if kind == Restriction.Kind.THROTTLE and requests is None and tokens is None:
        return None
    if not set(withheld or ()) <= set(Restriction.Withheld.values) or (
        kind == Restriction.Kind.WITHHOLD and not withheld
    ):
        return None
    return Terms(
        kind=kind,
        reason=Reason(told["reason"]) if told.get("reason") in Reason.values else Reason.OTHER,
        until=until,
        starts_at=starts_at if starts_at > now else None,
        requests_per_minute=requests,
        tokens_per_minute=tokens,
        withheld=tuple(sorted(set(withheld or ()))),
    )


def _time(text: str) -> datetime:
    """Raises ValueError where it has no time zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("no time zone")
    return time
