"""The status of a change at a gateway, and its severity. Pure.

Stillwatch sees three things of a gateway: the questions it asks the check, the changes that its own instances report
to have, and the refusals it counts. None of them says that a customer is refused now. So every state below says only
what follows from them, and `restriction_status` gives the figures it rests on.
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


class EnforcementState(StrEnum):
    """What is known of one change at one gateway."""

    REPORTED = "reported"  # every instance of its client reports to have it
    NEXT_QUESTION = "next_question"  # the check has it, and the gateway asks the check
    IN_PART = "in_part"  # as either, and somebody who answered for the gateway fell silent without it
    NOT_YET = "not_yet"  # who answers for the gateway reports an older change
    UNKNOWN = "unknown"  # the gateway asks, and no process of the check reports what it has
    SILENT = "silent"  # the gateway has neither asked nor reported for some time
    BYPASSED = "bypassed"  # … and usage has come in since


class EnforcementLevel(StrEnum):
    """How a state is shown: as good, on its way, amber or red."""

    GOOD = "good"
    PENDING = "pending"
    WARNING = "warning"
    ALARM = "alarm"


class Expected(NamedTuple):
    """What gateways are to have: of one restriction, or of all together.

    `newest` is the newest change. `overdue` is the newest that has been due for longer than `PATIENCE`, 0 where there
    is none. Both count the start of the newest epoch, after the number `starts_after`. With `is_unpublished` some names
    are not published yet, and with `is_publishing_late` none was for longer than `PATIENCE`. `is_in_force` is False
    where nobody is restricted any more.
    """

    newest: int
    overdue: int = 0
    starts_after: int = 0
    is_unpublished: bool = False
    is_publishing_late: bool = False
    is_in_force: bool = True


class InstanceStatus(NamedTuple):
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
    `usage_at` is the time of the newest usage that passed through the gateway, where that is known; with
    `usage_is_own` it came with the gateway's own name, else no gateway is heard and it came in by some way or other.
    """

    now: datetime
    silent_after: timedelta
    asked_at: datetime | None = None
    instances: Sequence[InstanceStatus] = ()
    check: Sequence[InstanceStatus] = ()
    silent: Sequence[InstanceStatus] = ()
    silent_check: Sequence[InstanceStatus] = ()
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
    def answering(self) -> Sequence[InstanceStatus]:
        """Who decides at the gateway what is refused."""
        if self.asks:
            return [*self.check, *(self.instances if self.reports else ())]
        return self.instances

    @property
    def sequence(self) -> int | None:
        """The newest change that everybody who answers for it has; None where nobody does."""
        return min((one.sequence for one in self.answering), default=None)

    def silent_without(self, change: int) -> Sequence[InstanceStatus]:
        """Who answered for the gateway and fell silent before they had a change. They may go on serving without it."""
        silent = [*self.silent, *self.silent_check] if self.asks else self.silent
        return [one for one in silent if one.sequence < change and one.seen_at > self.now - MAY_SERVE]

    def state(self, expected: Expected) -> EnforcementState:
        """Return what is known of the newest expected change here."""
        if self.is_bypassed:
            return EnforcementState.BYPASSED
        if self.asks and not any(self.now - one.seen_at <= ALIVE for one in self.check):
            return EnforcementState.UNKNOWN
        if self._lacks(expected.newest) or (expected.is_unpublished and self.is_active):
            return EnforcementState.NOT_YET
        if self.is_active and self.silent_without(expected.newest):
            return EnforcementState.IN_PART
        if self.asks:
            return EnforcementState.NEXT_QUESTION
        return EnforcementState.REPORTED if self.reports else EnforcementState.SILENT

    def level(self, expected: Expected) -> EnforcementLevel:
        """Return how serious that is.

        This is the only judgement of it: of all restrictions together it is that of the worst of them. So the banner
        and the list of gateways, which ask about all, agree with the rows of each.
        """
        match self.state(expected):
            case EnforcementState.REPORTED | EnforcementState.NEXT_QUESTION:
                return EnforcementLevel.GOOD
            case EnforcementState.IN_PART:
                return EnforcementLevel.PENDING
            case EnforcementState.NOT_YET:
                is_late = self._lacks(expected.overdue) or (expected.is_publishing_late and self.is_active)
                on_its_way = EnforcementLevel.PENDING if self.is_active else EnforcementLevel.WARNING
                return EnforcementLevel.ALARM if is_late else on_its_way
            case EnforcementState.UNKNOWN:
                return EnforcementLevel.ALARM if expected.overdue else EnforcementLevel.PENDING
            case EnforcementState.SILENT:
                return EnforcementLevel.WARNING
            case EnforcementState.BYPASSED:
                return EnforcementLevel.ALARM if expected.is_in_force else EnforcementLevel.WARNING

    def _lacks(self, change: int) -> bool:
        return any(one.sequence < change for one in self.answering)

    def _is_recent(self, moment: datetime | None) -> bool:
        return moment is not None and moment > self.now - self.silent_after
