"""What follows from what was heard of a gateway, as a table: change 42 is wanted, and it is 12:00:00."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.gateways.restriction_status import EnforcementStatus, format_delay
from governance.gateways.status import (
    PATIENCE,
    EnforcementLevel,
    EnforcementState,
    Expected,
    GatewayActivity,
    InstanceStatus,
)

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
WANTED = 42
SILENT_AFTER = timedelta(minutes=5)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def has(sequence: int, *, seconds_ago: float = 2, name: str = "web-1") -> InstanceStatus:
    return InstanceStatus(name, sequence, ago(seconds_ago))


def enforcement_status_at(*, waited: float = 60, activity: GatewayActivity, **given: Any) -> EnforcementStatus:
    expected = Expected(WANTED, overdue=WANTED if timedelta(seconds=waited) > PATIENCE else 0)
    return EnforcementStatus(gateway="edge", activity=activity, expected=expected, changed_at=ago(waited), **given)


TABLE: list[tuple[str, dict[str, Any], EnforcementState, EnforcementLevel, str]] = [
    (
        "the check has it and the gateway asked a moment ago",
        {"asked_at": ago(3), "check": [has(42), has(50, name="web-2")]},
        EnforcementState.NEXT_QUESTION,
        EnforcementLevel.GOOD,
        "would be refused at the next check by edge",
    ),
    (
        "one process of the check is behind",
        {"asked_at": ago(3), "check": [has(42), has(41, name="web-2")]},
        EnforcementState.NOT_YET,
        EnforcementLevel.ALARM,
        "not yet in force at edge: 1 of 2 processes of the check is 1 change behind",
    ),
    (
        "no process of the check has reported lately",
        {"asked_at": ago(40), "check": [has(42, seconds_ago=31)]},
        EnforcementState.UNKNOWN,
        EnforcementLevel.ALARM,
        "not known whether in force at edge: no process of the check has reported for 30 s",
    ),
    (
        "the gateway asked just within the time",
        {"asked_at": ago(299), "check": [has(42)]},
        EnforcementState.NEXT_QUESTION,
        EnforcementLevel.GOOD,
        "would be refused at the next check by edge",
    ),
    (
        "the gateway has not asked for five minutes",
        {"asked_at": ago(300), "check": [has(42)]},
        EnforcementState.SILENT,
        EnforcementLevel.WARNING,
        "not known whether in force at edge: no check for 5 min; it is idle or no longer connected",
    ),
    (
        "it is silent, and its usage is of the time when it last asked",
        {"asked_at": ago(420), "check": [has(42)], "usage_at": ago(121)},
        EnforcementState.SILENT,
        EnforcementLevel.WARNING,
        "not known whether in force at edge: no check for 7 min; it is idle or no longer connected",
    ),
    (
        "it is silent, and its usage goes on",
        {"asked_at": ago(420), "check": [has(42)], "usage_at": ago(60)},
        EnforcementState.BYPASSED,
        EnforcementLevel.ALARM,
        "not in force at edge: no check for 7 min, and usage arrived from it 1 min ago",
    ),
    (
        "nobody asks, and usage goes on by a way that is not known",
        {"asked_at": ago(420), "check": [has(42)], "usage_at": ago(40), "usage_is_own": False},
        EnforcementState.BYPASSED,
        EnforcementLevel.ALARM,
        "not in force at edge: no check for 7 min, and usage arrived 40 s ago",
    ),
    (
        "usage goes on, and the gateway asks",
        {"asked_at": ago(3), "check": [has(42)], "usage_at": ago(1)},
        EnforcementState.NEXT_QUESTION,
        EnforcementLevel.GOOD,
        "would be refused at the next check by edge",
    ),
    (
        "usage comes from a gateway that never asked",
        {"check": [has(42)], "usage_at": ago(40)},
        EnforcementState.BYPASSED,
        EnforcementLevel.ALARM,
        "not in force at edge: no check yet, and usage arrived from it 40 s ago",
    ),
    (
        "all instances of its client have it",
        {"instances": [has(42, name="a"), has(43, name="b", seconds_ago=20)]},
        EnforcementState.REPORTED,
        EnforcementLevel.GOOD,
        "in force at edge: reported by all 2 instances",
    ),
    (
        "an instance of its client reports an older change",
        {"instances": [has(42, name="a"), has(40, name="b"), has(42, name="c")]},
        EnforcementState.NOT_YET,
        EnforcementLevel.ALARM,
        "not yet in force at edge: 1 of 3 instances is 2 changes behind",
    ),
    (
        "its client has it and has not reported for some minutes",
        {"instances": [has(42, name="a", seconds_ago=400)]},
        EnforcementState.SILENT,
        EnforcementLevel.WARNING,
        "not known whether in force at edge: no report for 6 min; it is idle or no longer connected",
    ),
    (
        "its client went silent before it could have it",
        {"instances": [has(41, name="a", seconds_ago=400)]},
        EnforcementState.NOT_YET,
        EnforcementLevel.ALARM,
        "not yet in force at edge: its only instance is 1 change behind",
    ),
    (
        "its client went silent, and usage goes on",
        {"instances": [has(42, name="a", seconds_ago=400)], "usage_at": ago(10)},
        EnforcementState.BYPASSED,
        EnforcementLevel.ALARM,
        "not in force at edge: no report for 6 min, and usage arrived from it 10 s ago",
    ),
    (
        "its client reports and has it, while it stopped to ask the check, which is behind",
        {"instances": [has(42, name="a")], "asked_at": ago(900), "check": [has(7)]},
        EnforcementState.REPORTED,
        EnforcementLevel.GOOD,
        "in force at edge: reported by its only instance",
    ),
    (
        "it does both, and its client is behind",
        {"instances": [has(41, name="a")], "asked_at": ago(3), "check": [has(42)]},
        EnforcementState.NOT_YET,
        EnforcementLevel.ALARM,
        "not yet in force at edge: 1 of 2 instances is 1 change behind",
    ),
]


@pytest.mark.parametrize(
    ("activity", "state", "level", "sentence"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
def test_what_is_known(
    activity: dict[str, Any], state: EnforcementState, level: EnforcementLevel, sentence: str
) -> None:
    at = enforcement_status_at(activity=GatewayActivity(now=NOW, silent_after=SILENT_AFTER, **activity))

    assert (at.state, at.level, at.sentence) == (state, level, sentence)


class TestASentence:
    def test_is_of_a_limit_where_nobody_is_refused(self) -> None:
        activity = GatewayActivity(now=NOW, silent_after=SILENT_AFTER, asked_at=ago(3), check=[has(42)])

        assert (
            enforcement_status_at(activity=activity, denies=False).sentence == "would be sent at the next check by edge"
        )

    def test_is_of_the_end_where_it_was_lifted(self) -> None:
        activity = GatewayActivity(now=NOW, silent_after=SILENT_AFTER, instances=[has(42, name="a")])
        behind = GatewayActivity(now=NOW, silent_after=SILENT_AFTER, instances=[has(41, name="a")])

        assert enforcement_status_at(activity=activity, is_lifted=True).verdict == "no longer in force at"
        assert enforcement_status_at(activity=behind, is_lifted=True).verdict == "not yet removed at"

    def test_claims_force_in_no_state_but_a_good_one(self) -> None:
        for _, activity, _, level, sentence in TABLE:
            assert (sentence.startswith(("in force", "would be"))) is (level is EnforcementLevel.GOOD), activity


class TestWaiting:
    @pytest.mark.parametrize(
        ("waited", "level"), [(4, EnforcementLevel.PENDING), (5, EnforcementLevel.PENDING), (6, EnforcementLevel.ALARM)]
    )
    def test_is_late_after_five_seconds(self, waited: float, level: EnforcementLevel) -> None:
        activity = GatewayActivity(now=NOW, silent_after=SILENT_AFTER, instances=[has(41, name="a")])

        assert enforcement_status_at(activity=activity, waited=waited).level is level


INSTANCES = st.builds(
    InstanceStatus, st.sampled_from(["a", "b"]), st.integers(40, 50), st.sampled_from([ago(2), ago(40), ago(400)])
)
ACTIVITIES = st.builds(
    GatewayActivity,
    now=st.just(NOW),
    silent_after=st.just(SILENT_AFTER),
    asked_at=st.sampled_from([None, ago(3), ago(400)]),
    instances=st.lists(INSTANCES, max_size=2),
    check=st.lists(INSTANCES, max_size=2),
    silent=st.lists(INSTANCES, max_size=2),
    silent_check=st.lists(INSTANCES, max_size=2),
    usage_at=st.sampled_from([None, ago(10)]),
    usage_is_own=st.booleans(),
)


@st.composite
def expected_changes(draw: st.DrawFn) -> Expected:
    newest, overdue = draw(st.integers(41, 51)), draw(st.integers(41, 51))
    is_unpublished = draw(st.booleans())
    return Expected(
        newest,
        overdue if overdue <= newest else 0,
        is_unpublished=is_unpublished,
        is_publishing_late=is_unpublished and draw(st.booleans()),
        is_in_force=draw(st.booleans()),
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTIVITIES, st.lists(expected_changes(), min_size=1, max_size=4))
def test_all_restrictions_together_are_judged_as_the_worst_of_them(
    activity: GatewayActivity, each: list[Expected]
) -> None:
    together = Expected(
        max(one.newest for one in each),
        max(one.overdue for one in each),
        is_unpublished=any(one.is_unpublished for one in each),
        is_publishing_late=any(one.is_publishing_late for one in each),
        is_in_force=any(one.is_in_force for one in each),
    )

    assert activity.level(together) is max((activity.level(one) for one in each), key=list(EnforcementLevel).index)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (172_799, "1 day 23 h"),
        (172_800, "2 days"),
    ],
)
def test_a_time_is_said_in_its_largest_fitting_unit(seconds: float, said: str) -> None:
    assert format_delay(timedelta(seconds=seconds)) == said
