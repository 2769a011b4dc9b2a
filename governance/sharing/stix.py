"""What leaves, as STIX 2.1 objects.

Ids are made of what an object says and for whom (UUID version 5), so that the same share has the same ids, and two
partners cannot tell by an id that they were sent the same.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

import msgspec
import stix2
from stix2.v21 import Grouping, Identity, Indicator, Sighting

from governance.detection.indicator_kinds import NOUNS
from governance.sharing.patterns import Pattern

NAMESPACE: Final = UUID("6d0c3a0e-3c0a-5b52-9a44-3a0f8f7f7a51")
VALID_FOR: Final = timedelta(days=90)
MARKINGS: Final = {
    "clear": stix2.TLP_WHITE,
    "green": stix2.TLP_GREEN,
    "amber": stix2.TLP_AMBER,
    "red": stix2.TLP_RED,
}


class SharedPattern(NamedTuple):
    """A pattern, and how many accounts of the campaign it fits."""

    pattern: Pattern
    accounts: int


class OutgoingShare(NamedTuple):
    """What the ids and objects of a share are made of: who says it, to whom, about what.

    `retracted_before` counts the shares of this campaign to this partner that were retracted: another has other ids.
    """

    origin: str
    partner_id: UUID
    campaign_id: UUID
    retracted_before: int
    tlp: str
    account_count: int
    first_seen_at: datetime


def make_objects(share: OutgoingShare, patterns: Sequence[SharedPattern], *, now: datetime) -> list[dict[str, Any]]:
    """Return the objects of a share: who says it, an indicator and a sighting for each pattern, and their grouping.

    Raises ValueError without any pattern, as there is no grouping of nothing.
    """
    if not patterns:
        raise ValueError("a share needs a pattern")
    identity = Identity(
        id=f"identity--{uuid5(NAMESPACE, share.origin)}",
        name=share.origin,
        identity_class="organization",
        created=_BEGINNING,
        modified=_BEGINNING,
    )
    said = {
        "created_by_ref": identity.id,
        "object_marking_refs": [MARKINGS[share.tlp]],
        "created": now,
        "modified": now,
    }
    made = [*_indicators(share, patterns, said, now=now)]
    grouping = Grouping(
        id=_id("grouping", share, "grouping"),
        name=f"Campaign of {share.account_count} accounts",
        description="Accounts that acted as one and were refused for harvesting answers of a model.",
        context="suspicious-activity",
        object_refs=[one.id for one in made],
        **said,
    )
    return [_plain(one) for one in (identity, *made, grouping)]


# The identity says the same for ever, whenever it is sent.
_BEGINNING: Final = "2026-01-01T00:00:00Z"


def _indicators(
    share: OutgoingShare, patterns: Sequence[SharedPattern], said: dict[str, Any], *, now: datetime
) -> Iterator[Any]:
    for pattern, accounts in patterns:
        indicator = Indicator(
            id=_id("indicator", share, str(pattern)),
            name=f"{NOUNS[pattern.kind][0].capitalize()} of a harvester",
            indicator_types=["malicious-activity"],
            pattern=str(pattern),
            pattern_type="stix",
            valid_from=now,
            valid_until=now + VALID_FOR,
            **said,
        )
        yield indicator
        yield Sighting(
            id=_id("sighting", share, str(pattern)),
            sighting_of_ref=indicator.id,
            where_sighted_refs=[said["created_by_ref"]],
            first_seen=min(share.first_seen_at, now),
            last_seen=now,
            count=accounts,
            **said,
        )


def revoke(content: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return the object as it takes back what it said."""
    return content | {"revoked": True, "modified": stix2.utils.format_datetime(now)}


def _id(kind: str, share: OutgoingShare, what: str) -> str:
    name = f"{share.origin} {share.partner_id} {share.campaign_id} {share.retracted_before} {what}"
    return f"{kind}--{uuid5(NAMESPACE, f'{kind} {name}')}"


def _plain(made: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.json.decode(made.serialize())
    return plain
