"""Taking in the indicators of a partner."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.detection.indicator_kinds import IndicatorKind
from governance.platform.transactions import retried_transaction
from governance.sharing.matching import match_indicators
from governance.sharing.models import Indicator, Partner
from governance.sharing.received import Fault, ReceivedIndicator, UnreadableObjectsError, read_objects
from governance.usage.profiles.build import address_digest

# Of one partner, so that none can fill the disk.
MOST_INDICATORS: Final = 100_000
_COLUMNS: Final = ("kind", "value", "local_digest", "modified_at", "valid_from", "valid_until", "revoked_at")
_BATCH: Final = 1_000
_WORD: Final = 2**64


class PartnerNotSendingError(Exception):
    """Indicators of this partner do not count here. The message says why."""


class ImportReport(NamedTuple):
    """What came of the objects of a partner; `others` are no indicators, `unchanged` were known as they are."""

    added: int
    updated: int
    retracted: int
    unchanged: int
    others: int
    faults: Sequence[Fault]
    accounts: int


@retried_transaction
def import_indicators(partner: Partner, content: bytes, *, by: Actor, now: datetime) -> ImportReport:
    """Take in a STIX bundle or a TAXII envelope, and see which accounts it fits. The same again changes nothing.

    Raises PartnerNotSendingError, and UnreadableObjectsError where nothing of it can be read.
    """
    locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    if not locked.sends or not locked.is_usable(at=now):
        raise PartnerNotSendingError(f"{locked.name} sends nothing, or nothing any more.")
    received = read_objects(content, now=now)
    known = {one.stix_id: one for one in Indicator.objects.filter(partner=locked)}
    said = {one.stix_id: _what_is_new(one, known.get(one.stix_id)) for one in received.indicators}
    counted = Counter(said.values())
    if len(known) + counted["added"] > MOST_INDICATORS:
        raise UnreadableObjectsError(f"{locked.name} has more than {MOST_INDICATORS:,} indicators here.")
    Indicator.objects.bulk_create(
        [_row(locked, one, now=now) for one in received.indicators if said[one.stix_id] != "unchanged"],
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["partner", "stix_id"],
        update_fields=_COLUMNS,
    )
    accounts = match_indicators(now=now) if set(counted) - {"unchanged"} else 0
    counts = {name: counted[name] for name in ("added", "updated", "retracted")}
    if any(counts.values()) or received.faults:
        details: Mapping[str, Any] = {**counts, "rejected": len(received.faults)}
        record(Verb.INDICATORS_IMPORTED, subject=("partner", str(locked.pk)), by=by, now=now, details=details)
    return ImportReport(
        **counts, unchanged=counted["unchanged"], others=received.others, faults=received.faults, accounts=accounts
    )


def _what_is_new(one: ReceivedIndicator, known: Indicator | None) -> str:
    """What was retracted stays so, as the standard says, and an older version changes nothing."""
    if known is None:
        return "unchanged" if one.is_revoked else "added"
    if known.revoked_at is not None or one.modified_at < known.modified_at:
        return "unchanged"
    if one.is_revoked:
        return "retracted"
    return "updated" if one.modified_at > known.modified_at else "unchanged"


def _row(partner: Partner, one: ReceivedIndicator, *, now: datetime) -> Indicator:
    kind, value = one.pattern
    return Indicator(
        partner=partner,
        stix_id=one.stix_id,
        kind=kind,
        value=value,
        local_digest=_local_digest(kind, value),
        modified_at=one.modified_at,
        valid_from=one.valid_from,
        valid_until=one.valid_until,
        revoked_at=now if one.is_revoked else None,
        received_at=now,
    )


def _local_digest(kind: IndicatorKind, value: str) -> int | None:
    """By what an address or a wording is found among the shared signals of accounts."""
    if kind is IndicatorKind.ADDRESS:
        return address_digest(value)
    if kind is IndicatorKind.WRAPPER:
        digest = int(value.partition(":")[2], 16)
        return digest - _WORD if digest >= _WORD // 2 else digest
    return None
