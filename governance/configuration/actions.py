"""Change settings. Each changed value is an entry of the audit log, with the value before and after."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from governance.audit.actions import NewEntry, record_all
from governance.audit.verbs import Verb
from governance.configuration.models import DueTarget, ReasonOverride
from governance.configuration.queries import ReasonSetting, get_reason_overrides
from governance.platform.locks import Lock, lock_until_commit
from governance.platform.transactions import retried_transaction
from governance.staff.models import User


@retried_transaction
def set_due_targets(hours: Mapping[str, int], *, defaults: Mapping[str, int], by: User, now: datetime) -> list[str]:
    """Set within how many hours cases of each band are due. Return the bands that this changes.

    `defaults` is what counts while nobody has set anything. Cases that are open keep their due date.
    """
    lock_until_commit(Lock.SETTINGS)
    before = {**defaults, **dict(DueTarget.objects.values_list("band", "hours"))}
    changed = {band: after for band, after in hours.items() if before.get(band) != after}
    for band, after in changed.items():
        DueTarget.objects.update_or_create(band=band, defaults={"hours": after})
    _record(
        Verb.DUE_TARGET_SET,
        "due_target",
        {band: {"before": before.get(band), "after": after} for band, after in changed.items()},
        by=by,
        now=now,
    )
    return list(changed)


@retried_transaction
def set_reason_settings(
    reasons: Mapping[str, ReasonSetting], *, defaults: Mapping[str, ReasonSetting], by: User, now: datetime
) -> list[str]:
    """Set which reasons are offered, and the terms clause of each. Return the reasons that this changes.

    `defaults` is what counts while nobody has set anything.
    """
    lock_until_commit(Lock.SETTINGS)
    before = {**defaults, **get_reason_overrides()}
    changed = {reason: after for reason, after in reasons.items() if before[reason] != after}
    for reason, after in changed.items():
        ReasonOverride.objects.update_or_create(reason=reason, defaults=after._asdict())
    _record(
        Verb.REASON_CHOICE_SET,
        "reason",
        {one: {"before": before[one]._asdict(), "after": after._asdict()} for one, after in changed.items()},
        by=by,
        now=now,
    )
    return list(changed)


def _record(verb: Verb, kind: str, changes: Mapping[str, Mapping[str, Any]], *, by: User, now: datetime) -> None:
    if changes:
        entries = [NewEntry(verb, (kind, name), details) for name, details in changes.items()]
        record_all(entries, by=by.actor, now=now)
