"""Usage events by day, profiles, excerpts, senders, and the accounts that wait to be scored."""

from governance.usage.models.events import EventConflict, HeldEvent, LateDay, ReportedAnswer, Retention, UsageEvent
from governance.usage.models.excerpts import DataKey, Excerpt
from governance.usage.models.profiles import HourlyCounters, HourlyProfile, ProfileDelta, Sketches, WeeklySketch
from governance.usage.models.scoring import LEASE, DirtyAccount
from governance.usage.models.senders import LastUsage, NewNameCount

__all__ = [
    "LEASE",
    "DataKey",
    "DirtyAccount",
    "EventConflict",
    "Excerpt",
    "HeldEvent",
    "HourlyCounters",
    "HourlyProfile",
    "LastUsage",
    "LateDay",
    "NewNameCount",
    "ProfileDelta",
    "ReportedAnswer",
    "Retention",
    "Sketches",
    "UsageEvent",
    "WeeklySketch",
]
