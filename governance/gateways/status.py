"""What is known of a change at a gateway, and how that is said. Pure.

Stillwatch sees three things of a gateway: the questions it asks the check, the changes that its own instances report
to have, and the refusals it counts. None of them says that a customer is refused now. So every state below says only
what follows from them, and `sentence` gives the figures it rests on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

# A process that holds the restrictions reports every 5 s while it is well.
ALIVE: Final = timedelta(seconds=30)
# An instance that fell silent without saying that it ends may be cut off and go on serving. After so long it counts as
# gone.
MAY_SERVE: Final = timedelta(days=1)
# A change that has not arrived by then is late.
PATIENCE: Final = timedelta(seconds=5)
# The instance under which LiteLLM's own blocks are listed: it has what Stillwatch has pushed to it.
PUSHED: Final = "pushed"


class State(StrEnum):
    """What is known of one change at one gateway."""

    REPORTED = "reported"  # every instance of its client reports to have it
    NEXT_QUESTION = "next_question"  # the check has it, and the gateway asks the check
    IN_PART = "in_part"  # as either, and somebody who answered for the gateway fell silent without it
    NOT_YET = "not_yet"  # who answers for the gateway reports an older change
    UNKNOWN = "unknown"  # the gateway asks, and no process of the check reports what it has
    SILENT = "silent"  # the gateway has neither asked nor reported for some time
    BYPASSED = "bypassed"  # … and usage has come in since


class Unpublished(StrEnum):
    """Of whom gateways are still being told, where a restriction is not in force on everybody yet: as a clause."""

    NOBODY = ""
    ACCOUNTS = "gateways have not received all of its accounts yet"
    NAMES = "gateways have not received all names of this account yet"
    END = "gateways apply it until they have received all accounts that are restricted now"


class Level(StrEnum):
    """How a state is shown: as good, on its way, amber or red."""

    GOOD = "good"
    PENDING = "pending"
    WARNING = "warning"
    ALARM = "alarm"


class Instance(NamedTuple):
    """A process that holds the restrictions: the newest change it reported to have, and when it did."""

    name: str
    sequence: int
    seen_at: datetime
    trouble: str = ""  # what it says is wrong with its copy on disk
    has_ended: bool = False  # it said so


@dataclass(frozen=True, slots=True)
class GatewayActivity:
    """What was heard of a gateway up to `now`.

    `instances` are those of its own client, `check` the processes of the check, which answer for every gateway that
    asks: those that reported within half a minute of the last. `silent` and `silent_check` are the others, as long as
    they may go on serving.
    `usage_at` is the time of the newest usage that passed through the gateway, where that can be told; with
    `usage_is_own` it came with the gateway's own name, else no gateway is heard and it came in by some way or other.
    """

    now: datetime
    silent_after: timedelta
    asked_at: datetime | None = None
    instances: Sequence[Instance] = ()
    check: Sequence[Instance] = ()
    silent: Sequence[Instance] = ()
    silent_check: Sequence[Instance] = ()
    usage_at: datetime | None = None
    usage_is_own: bool = True

    @property
    def reported_at(self) -> datetime | None:
        return max((one.seen_at for one in self.instances), default=None)

    @property
    def last_at(self) -> datetime | None:
        """When it last asked or reported."""
        return max(filter(None, (self.asked_at, self.reported_at)), default=None)

    @property
    def asks(self) -> bool:
        return self._is_recent(self.asked_at)

    @property
    def reports(self) -> bool:
        return self._is_recent(self.reported_at)

    @property
    def is_active(self) -> bool:
        return self.asks or self.reports

    @property
    def is_bypassed(self) -> bool:
        """Whether usage is newer than its last word by more than a gateway that is in use is ever silent."""
        if self.is_active or self.usage_at is None:
            return False
        if self.last_at is None:
            return self.usage_is_own
        return self.usage_at > self.last_at + self.silent_after

    @property
    def answering(self) -> Sequence[Instance]:
        """Who decides at the gateway what is refused."""
        if self.asks:
            return [*self.check, *(self.instances if self.reports else ())]
        return self.instances

    @property
    def sequence(self) -> int | None:
        """The newest change that everybody who answers for it has; None where nobody does."""
        return min((one.sequence for one in self.answering), default=None)

    def silent_without(self, change: int) -> Sequence[Instance]:
        """Who answered for the gateway and fell silent before they had a change. They may go on serving without it."""
        silent = [*self.silent, *self.silent_check] if self.asks else self.silent
        return [one for one in silent if one.sequence < change and one.seen_at > self.now - MAY_SERVE]

    def state(self, change: int, *, is_unpublished: bool = False) -> State:
        """What is known of a change here; `is_unpublished` where not all names of it are published yet."""
        if self.is_bypassed:
            return State.BYPASSED
        if self.asks and not any(self.now - one.seen_at <= ALIVE for one in self.check):
            return State.UNKNOWN
        if any(one.sequence < change for one in self.answering) or (is_unpublished and self.is_active):
            return State.NOT_YET
        if self.is_active and self.silent_without(change):
            return State.IN_PART
        if self.asks:
            return State.NEXT_QUESTION
        return State.REPORTED if self.reports else State.SILENT

    def _is_recent(self, moment: datetime | None) -> bool:
        return moment is not None and moment > self.now - self.silent_after


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcementStatus:
    """A restriction at one gateway, or its end where it was lifted.

    `change` is the newest change of it, made at `changed_at`. `took` is how long it was from the decision until
    everybody who answered for the gateway then had it, where that was measured. Of one on a large organisation gateways
    are sent in batches, and it counts as in force once all names were published. A refusal proves that the gateway
    refused because of this restriction at that time, and says nothing of later.
    """

    gateway: str
    activity: GatewayActivity
    change: int
    changed_at: datetime
    denies: bool = True
    is_lifted: bool = False
    unpublished: Unpublished = Unpublished.NOBODY
    took: timedelta | None = None
    refused: int = 0
    refused_after: timedelta | None = None
    last_refused_at: datetime | None = None

    @property
    def state(self) -> State:
        return self.activity.state(self.change, is_unpublished=bool(self.unpublished))

    @property
    def waited(self) -> timedelta:
        return self.activity.now - self.changed_at

    @property
    def is_settled(self) -> bool:
        return self.level is Level.GOOD

    @property
    def level(self) -> Level:
        match self.state:
            case State.REPORTED | State.NEXT_QUESTION:
                return Level.GOOD
            case State.IN_PART:
                return Level.PENDING
            case State.NOT_YET | State.UNKNOWN:
                return Level.ALARM if self.waited > PATIENCE else Level.PENDING
            case State.SILENT:
                return Level.WARNING
            case State.BYPASSED:
                return Level.ALARM

    @property
    def verdict(self) -> str:
        """What is known, to be followed by the name of the gateway."""
        # The gateway is sent limits and the like; whether it keeps them is not seen here.
        effect = "sent" if not self.denies else "refused because of it" if self.is_lifted else "refused"
        return VERDICTS[self.state][self.is_lifted].format(effect=effect)

    @property
    def reason(self) -> str:
        """What it is known by."""
        if self.unpublished and self.state is State.NOT_YET:
            return self.unpublished
        return reason(self.state, self.activity, self.change)

    @property
    def sentence(self) -> str:
        because = self.reason
        return f"{self.verdict} {self.gateway}{f': {because}' if because else ''}"


# For a restriction that is in force, and for one that was lifted.
VERDICTS: Final = {
    State.REPORTED: ("in force at", "no longer in force at"),
    State.NEXT_QUESTION: (
        "would be {effect} at the next check by",
        "would no longer be {effect} at the next check by",
    ),
    State.IN_PART: ("in force where it is reported at", "no longer in force where that is reported at"),
    State.NOT_YET: ("not yet in force at", "not yet removed at"),
    State.UNKNOWN: ("not known whether in force at", "not known whether removed at"),
    State.SILENT: ("not known whether in force at", "not known whether removed at"),
    State.BYPASSED: ("not in force at", "not known whether removed at"),
}


def reason(state: State, activity: GatewayActivity, change: int) -> str:
    """What a state rests on, as a clause with its figures; empty where the state says it all."""
    match state:
        case State.REPORTED:
            return _who_reported(activity.instances)
        case State.NEXT_QUESTION | State.IN_PART:
            return who_is_silent(activity, change)
        case State.NOT_YET:
            return _who_is_behind(activity, change)
        case State.UNKNOWN:
            return "no process of the check has reported for 30 s"
        case State.SILENT:
            return f"{_silence(activity)}; it is idle or no longer connected"
        case State.BYPASSED:
            return f"{_silence(activity)}, and {usage_since(activity)}"


def _who_reported(instances: Sequence[Instance]) -> str:
    if [one.name for one in instances] == [PUSHED]:
        return "pushed to LiteLLM’s own blocks"
    return "reported by its only instance" if len(instances) == 1 else f"reported by all {len(instances)} instances"


def who_is_silent(activity: GatewayActivity, change: int) -> str:
    """Say who may go on serving without a change; empty where nobody may."""
    silent = activity.silent_without(change)
    if not silent:
        return ""
    is_check = all(one in activity.silent_check for one in silent)
    who = _counted(len(silent), *(("process", "processes") if is_check else ("instance", "instances")))
    since = length(activity.now - max(one.seen_at for one in silent))
    return f"{who}{' of the check' if is_check else ''} silent for {since} without it, and may still serve"


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _who_is_behind(activity: GatewayActivity, change: int) -> str:
    behind = [one for one in activity.answering if one.sequence < change]
    who = "processes of the check" if activity.asks and not activity.reports else "instances"
    oldest = min(one.sequence for one in behind)
    of = f"{len(behind)} of {len(activity.answering)} {who}"
    return f"{of} reported change {oldest:,}; this is change {change:,}"


def _silence(activity: GatewayActivity) -> str:
    word = "report" if activity.instances else "check"
    return f"no {word} for {length(activity.now - activity.last_at)}" if activity.last_at else "no check yet"


def usage_since(activity: GatewayActivity) -> str:
    """Says that usage has come in since; only of a gateway that is bypassed."""
    if activity.usage_at is None:
        return ""
    since = length(activity.now - activity.usage_at)
    return f"usage arrived {'from it ' if activity.usage_is_own else ''}{since} ago"


def length(span: timedelta) -> str:
    """A time in its largest fitting unit: `40 s`, `7 min`, `3 h`, `2 days`."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 2 * 86400 else f"{seconds // 86400} days"
