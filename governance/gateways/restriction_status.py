"""The status of a restriction at one gateway, and the sentences for it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from governance.gateways.status import (
    PUSHED,
    EnforcementLevel,
    EnforcementState,
    Expected,
    GatewayActivity,
    InstanceStatus,
)
from governance.web.counts import pluralize


class Unpublished(StrEnum):
    """A clause that says which names are still being sent to gateways."""

    NOBODY = ""
    ACCOUNTS = "gateways have not received all of its accounts yet"
    NAMES = "gateways have not received all names of this account yet"
    END = "gateways apply it until they have received all accounts that are restricted now"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcementStatus:
    """A restriction at one gateway, or its end where it was lifted.

    Its newest change was made at `changed_at`, and the newest that is overdue at `overdue_at`; `first_change` is the
    number of that which put it in force. `took` is the time from
    the decision until everybody who answered for the gateway then had it, where that was measured. A restriction on a
    large organisation is sent in batches, and counts as in force once all its names are published. A refusal proves
    that the gateway refused because of this restriction at that time, and says nothing of later.
    """

    gateway: str
    activity: GatewayActivity
    expected: Expected
    changed_at: datetime
    first_change: int = 0
    overdue_at: datetime | None = None
    denies: bool = True
    is_lifted: bool = False
    unpublished: Unpublished = Unpublished.NOBODY
    took: timedelta | None = None
    refused: int = 0
    refused_after: timedelta | None = None
    last_refused_at: datetime | None = None

    @property
    def state(self) -> EnforcementState:
        return self.activity.state(self.expected)

    @property
    def level(self) -> EnforcementLevel:
        return self.activity.level(self.expected)

    @property
    def waited(self) -> timedelta:
        """How long ago the newest change was made; of one that is late, the newest change that is."""
        return self.activity.now - (
            (self.overdue_at if self.level is EnforcementLevel.ALARM else None) or self.changed_at
        )

    @property
    def is_settled(self) -> bool:
        return self.level is EnforcementLevel.GOOD

    @property
    def was_never_received(self) -> bool:
        """Return True if it ended before the gateway had received it: then nothing is to be removed there.

        False of a gateway that has not entered the newest epoch: it may know the restriction by an earlier number.
        """
        if not self.is_lifted or self.state is not EnforcementState.NOT_YET:
            return False
        known = [one.sequence for one in (*self.activity.answering, *self.activity.silent, *self.activity.silent_check)]
        return all(self.expected.starts_after <= sequence < self.first_change for sequence in known)

    @property
    def verdict(self) -> str:
        """What is known, to be followed by the name of the gateway."""
        if self.was_never_received:
            return NEVER_RECEIVED
        # The gateway is sent limits and the like; whether it keeps them is not seen here.
        effect = "sent" if not self.denies else "refused because of it" if self.is_lifted else "refused"
        return VERDICTS[self.state][self.is_lifted].format(effect=effect)

    @property
    def verdict_of_many(self) -> str:
        """What is known of many restrictions that stand as this one does, without the name of the gateway."""
        return MANY_NEVER_RECEIVED if self.was_never_received else VERDICTS_OF_MANY[self.state][self.is_lifted]

    @property
    def reason(self) -> str:
        """What it is known by."""
        if self.unpublished and self.state is EnforcementState.NOT_YET:
            return self.unpublished
        return state_reason(self.state, self.activity, self.expected)

    @property
    def sentence(self) -> str:
        because = self.reason
        return f"{self.verdict} {self.gateway}{f': {because}' if because else ''}"


NEVER_RECEIVED: Final = "ended before it arrived at"
MANY_NEVER_RECEIVED: Final = "ended before they arrived"
# For a restriction that is in force, and for one that was lifted.
VERDICTS: Final = {
    EnforcementState.REPORTED: ("in force at", "no longer in force at"),
    EnforcementState.NEXT_QUESTION: (
        "would be {effect} at the next check by",
        "would no longer be {effect} at the next check by",
    ),
    EnforcementState.IN_PART: ("in force where it is reported at", "no longer in force where that is reported at"),
    EnforcementState.NOT_YET: ("not yet in force at", "not yet removed at"),
    EnforcementState.UNKNOWN: ("not known whether in force at", "not known whether removed at"),
    EnforcementState.SILENT: ("not known whether in force at", "not known whether removed at"),
    EnforcementState.BYPASSED: ("not in force at", "not known whether removed at"),
}

# The same of many restrictions, as what follows "They" or "The others".
VERDICTS_OF_MANY: Final = {
    EnforcementState.REPORTED: ("are in force", "are no longer in force"),
    EnforcementState.NEXT_QUESTION: ("apply from the next check on", "no longer apply from the next check on"),
    EnforcementState.IN_PART: ("are in force where they are reported", "are no longer in force where that is reported"),
    EnforcementState.NOT_YET: ("are not yet in force", "are not yet removed"),
    EnforcementState.UNKNOWN: ("may or may not be in force", "may or may not be removed"),
    EnforcementState.SILENT: ("may or may not be in force", "may or may not be removed"),
    EnforcementState.BYPASSED: ("are not in force", "may or may not be removed"),
}


def state_reason(state: EnforcementState, activity: GatewayActivity, expected: Expected) -> str:
    """What a state rests on, as a clause with its figures; empty where the state says it all."""
    match state:
        case EnforcementState.REPORTED:
            return _who_reported(activity.instances)
        case EnforcementState.NEXT_QUESTION | EnforcementState.IN_PART:
            return describe_silent_instances(activity, expected.newest)
        case EnforcementState.NOT_YET:
            return _who_is_behind(activity, expected)
        case EnforcementState.UNKNOWN:
            return "no process of the check has reported for 30 s"
        case EnforcementState.SILENT:
            return f"{_silence(activity)}; it is idle or no longer connected"
        case EnforcementState.BYPASSED:
            return f"{_silence(activity)}, and {describe_usage_since(activity)}"


def _who_reported(instances: Sequence[InstanceStatus]) -> str:
    if [one.name for one in instances] == [PUSHED]:
        return "pushed to LiteLLM’s own blocks"
    return "reported by its only instance" if len(instances) == 1 else f"reported by all {len(instances)} instances"


def describe_silent_instances(activity: GatewayActivity, change: int) -> str:
    """Say who may go on serving without a change; empty where nobody may."""
    silent = activity.silent_without(change)
    if not silent:
        return ""
    is_check = all(one in activity.silent_check for one in silent)
    who = pluralize(len(silent), *(("process", "processes") if is_check else ("instance", "instances")))
    since = format_delay(activity.now - max(one.seen_at for one in silent))
    return f"{who}{' of the check' if is_check else ''} silent for {since} without it, and may still serve"


def _who_is_behind(activity: GatewayActivity, expected: Expected) -> str:
    behind = [one for one in activity.answering if one.sequence < expected.newest]
    is_check = activity.asks and not activity.reports
    one, many = ("process of the check", "processes of the check") if is_check else ("instance", "instances")
    oldest = min(behind_one.sequence for behind_one in behind)
    of = f"{len(behind)} of {len(activity.answering)} {many}"
    if oldest < expected.starts_after:
        return f"{of} have not loaded the restrictions since the new epoch of the feed began"
    who = f"{of} {'is' if len(behind) == 1 else 'are'}" if len(activity.answering) > 1 else f"its only {one} is"
    return f"{who} {'up to ' if len(behind) > 1 else ''}{pluralize(expected.newest - oldest, 'change')} behind"


def _silence(activity: GatewayActivity) -> str:
    word = "report" if activity.instances else "check"
    return f"no {word} for {format_delay(activity.now - activity.last_at)}" if activity.last_at else "no check yet"


def describe_usage_since(activity: GatewayActivity) -> str:
    """Says that usage has come in since; only of a gateway that is bypassed."""
    if activity.usage_at is None:
        return ""
    since = format_delay(activity.now - activity.usage_at)
    return f"usage arrived {'from it ' if activity.usage_is_own else ''}{since} ago"


def format_delay(span: timedelta) -> str:
    """A time in its largest fitting unit: `40 s`, `7 min`, `3 h`, `1 day 4 h`, `2 days`."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    if seconds < 2 * 86400:
        return f"1 day {seconds % 86400 // 3600} h".removesuffix(" 0 h")
    return f"{seconds // 86400} days"
