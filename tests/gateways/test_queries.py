"""What is known of restrictions at the gateways, and how that is shown."""

from datetime import datetime
from typing import Any

import pytest

from governance.gateways import fleet
from governance.gateways.activity import list_known_gateways
from governance.gateways.fleet import GatewayState, enforcement_overview, gateway_states
from governance.gateways.models import CanaryProbe, GatewayInstance, PropagationEntry, Refusal
from governance.gateways.queries import enforcement_status, get_alarm, get_expected_state
from governance.gateways.restriction_status import EnforcementStatus
from governance.gateways.status import EnforcementLevel, EnforcementState
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.restrictions.publication import cover_new_names
from tests.factories import MACHINE, NOW, account, api_key, restriction
from tests.gateways.reported import SECOND, gateway, gateway_instance

pytestmark = pytest.mark.django_db


def at_the_only_gateway(number: int, *, after: float = 1.0) -> EnforcementStatus:
    [at] = enforcement_status([number], now=NOW + after * SECOND)[number]
    return at


def gateways(*, now: datetime) -> list[GatewayState]:
    return list(enforcement_overview(now=now, most=12).gateways)


class TestARestriction:
    def test_would_be_applied_where_the_check_knows_it_and_the_gateway_asks(self) -> None:
        number = restriction(account()).number
        gateway()
        gateway_instance(None, "web-1", knows=number, after=0.1)
        gateway_instance(None, "web-2", knows=number, after=0.2)

        at = at_the_only_gateway(number)

        assert (at.gateway, at.state, at.took) == ("litellm", EnforcementState.NEXT_QUESTION, 0.2 * SECOND)

    def test_is_pending_while_one_of_those_who_answer_does_not_know_it(self) -> None:
        number = restriction(account()).number
        gateway()
        gateway_instance(None, "web-1", knows=number)
        gateway_instance(None, "web-2", knows=number - 1)

        assert at_the_only_gateway(number).state is EnforcementState.NOT_YET
        assert at_the_only_gateway(number, after=4).level is EnforcementLevel.PENDING
        assert at_the_only_gateway(number, after=6).level is EnforcementLevel.ALARM

    def test_is_pending_while_a_client_has_only_its_first_names(self, django_capture_on_commit_callbacks: Any) -> None:
        harbour = account()
        number = restriction(harbour).number
        with django_capture_on_commit_callbacks(execute=True):
            api_key(harbour)
            cover_new_names(now=NOW)
        gateway_instance(gateway(asked=False), "a", knows=number)

        at = at_the_only_gateway(number)

        assert (at.expected.newest, at.state) == (number + 1, EnforcementState.NOT_YET)

    def test_is_in_force_where_all_instances_of_a_client_know_it(self) -> None:
        number = restriction(account()).number
        gateway_instance(own := gateway(asked=False), "a", knows=number, after=0.3)
        gateway_instance(own, "b", knows=number, after=0.1)

        at = at_the_only_gateway(number)

        assert (at.state, at.took) == (EnforcementState.REPORTED, 0.3 * SECOND)

    def test_is_in_force_in_part_where_an_instance_fell_silent_without_it(self) -> None:
        number = restriction(account()).number
        gateway_instance(own := gateway(asked=False), "a", knows=number)
        gateway_instance(own, "gone", knows=0, seen=-120)

        at = at_the_only_gateway(number)

        assert (at.state, at.level) == (EnforcementState.IN_PART, EnforcementLevel.PENDING)
        assert not get_alarm(now=NOW + 10 * SECOND)

    @pytest.mark.parametrize("silent", [{"knows": 1}, {"has_ended": True}, {"seen": -86_400}], ids=str)
    def test_does_not_wait_for_an_instance_that_has_it_or_is_gone(self, silent: dict[str, Any]) -> None:
        number = restriction(account()).number
        gateway_instance(own := gateway(asked=False), "a", knows=number)
        gateway_instance(own, "gone", **{"knows": 0, "seen": -120} | silent)

        assert at_the_only_gateway(number).state is EnforcementState.REPORTED

    def test_would_not_be_applied_by_a_process_of_the_check_that_is_frozen(self) -> None:
        number = restriction(account()).number
        gateway()
        gateway_instance(None, "web-1", knows=number)
        gateway_instance(None, "web-2", knows=0, seen=-120)

        assert at_the_only_gateway(number).sentence == (
            "in force where it is reported at litellm: 1 process of the check silent for 2 min without it, "
            "and may still serve"
        )

    def test_takes_no_time_from_an_instance_that_started_later(self) -> None:
        number = restriction(account()).number
        own = gateway(asked=False)
        gateway_instance(own, "a", knows=number, after=0.2, seen=500)
        gateway_instance(own, "new", knows=number, after=500, started=400, seen=500)

        assert at_the_only_gateway(number, after=501).took == 0.2 * SECOND

    def test_keeps_the_time_it_took_when_those_who_were_there_have_gone(self) -> None:
        number = restriction(account()).number
        own = gateway(asked=False)
        gateway_instance(own, "before", knows=number, after=0.2, seen=60)
        gateway_instance(own, "after", knows=number, after=3600, started=3599, seen=7200)

        at = at_the_only_gateway(number, after=7200)

        assert (at.state, at.took) == (EnforcementState.REPORTED, 0.2 * SECOND)

    def test_is_not_in_force_by_what_those_knew_who_have_gone(self) -> None:
        number = restriction(account()).number
        own = gateway(asked=False)
        gateway_instance(own, "before", knows=number, after=0.2, seen=60)
        gateway_instance(own, "after", knows=number - 1, after=3600, started=3599, seen=7200)

        at = at_the_only_gateway(number, after=7200)

        assert at.sentence == "not yet in force at litellm: its only instance is 1 change behind"

    def test_is_not_in_force_for_ever_because_it_was_refused_once(self) -> None:
        number = restriction(account()).number
        Refusal.objects.create(
            gateway=gateway(), restriction_id=number, first_at=NOW + 0.4 * SECOND, last_at=NOW + SECOND, count=12
        )
        gateway_instance(None, "web-1", knows=number - 1, after=-30, seen=7)

        at = at_the_only_gateway(number, after=8)

        assert (at.state, at.level) == (EnforcementState.NOT_YET, EnforcementLevel.ALARM)
        assert (at.refused, at.refused_after, at.last_refused_at) == (12, 0.4 * SECOND, NOW + SECOND)

    def test_says_nothing_of_gateways_that_are_not_in_use(self) -> None:
        number = restriction(account()).number
        gateway(asked=False)

        assert enforcement_status([number], now=NOW) == {number: []}


class TestARestrictionThatWasLifted:
    def test_is_known_to_be_so_where_the_check_knows_its_end(self) -> None:
        block = restriction(account())
        lift(block, note="a mistake", by=MACHINE, now=NOW)
        gateway()
        gateway_instance(None, "web-1", knows=block.number + 1, after=0.3)

        at = at_the_only_gateway(block.number)

        assert at.sentence == "would no longer be refused because of it at the next check by litellm"
        assert at.took == 0.3 * SECOND

    def test_is_not_yet_so_where_a_client_still_has_it(self) -> None:
        block = restriction(account())
        lift(block, note="a mistake", by=MACHINE, now=NOW)
        gateway_instance(own := gateway(asked=False), "a", knows=block.number + 1)
        gateway_instance(own, "b", knows=block.number)

        at = at_the_only_gateway(block.number)

        assert at.sentence == "not yet removed at litellm: 1 of 2 instances is 1 change behind"

    def test_is_nothing_to_remove_where_it_had_never_arrived(self) -> None:
        gateway_instance(gateway(asked=False), knows=0)
        block = restriction(account())
        lift(block, note="a mistake", by=MACHINE, now=NOW)

        at = at_the_only_gateway(block.number)

        assert at.sentence == "ended before it arrived at litellm: its only instance is 2 changes behind"

    def test_may_still_be_in_force_by_an_instance_that_fell_silent_with_it(self) -> None:
        block = restriction(account())
        lift(block, note="a mistake", by=MACHINE, now=NOW)
        gateway_instance(own := gateway(asked=False), "a", knows=block.number, seen=-100)
        gateway_instance(own, "b", knows=block.number - 1)

        assert at_the_only_gateway(block.number).verdict == "not yet removed at"


class TestTheBanner:
    def test_names_gateways_that_do_not_know_what_was_decided(self) -> None:
        number = restriction(account()).number
        gateway("litellm")
        gateway_instance(None, "web-1", knows=number - 1)
        gateway_instance(gateway("edge", asked=False), knows=number)

        assert not get_alarm(now=NOW + SECOND)
        assert get_alarm(now=NOW + 6 * SECOND).late == ["litellm"]

    def test_names_gateways_for_which_no_process_of_the_check_answers(self) -> None:
        restriction(account())
        gateway("litellm")

        alarm = get_alarm(now=NOW + 6 * SECOND)

        assert (alarm.unknown, alarm.late) == (["litellm"], [])

    def test_warns_while_something_is_in_force_and_no_gateway_asks(self) -> None:
        restriction(account(), Restriction.Kind.WATCH)
        assert not get_alarm(now=NOW + 6 * SECOND)

        restriction(account())
        assert get_alarm(now=NOW + 6 * SECOND).unheard == 1

    def test_is_silent_where_nothing_was_ever_decided(self) -> None:
        gateway("litellm")

        assert not get_alarm(now=NOW + 6 * SECOND)

    def test_costs_two_queries_however_many_gateways_there_are(self, django_assert_num_queries: Any) -> None:
        number = restriction(account()).number
        for place in range(5):
            gateway_instance(gateway(f"edge-{place}", asked=False), knows=number)

        # 1 what is wanted, 2 gateways with all that was heard of them
        with django_assert_num_queries(2):
            assert not get_alarm(now=NOW + 6 * SECOND)


class TestAGateway:
    def test_shows_how_long_changes_took(self) -> None:
        numbers = [restriction(account()).number for _ in range(3)]
        own = gateway(asked=False)
        made = gateway_instance(own, knows=1, after=0.1)
        for number, after in zip(numbers[1:], (0.2, 0.9), strict=True):
            PropagationEntry.objects.create(gateway_instance=made, sequence=number, at=NOW + after * SECOND)
        GatewayInstance.objects.update(sequence=3)

        [state] = gateways(now=NOW + SECOND)

        assert state.took is not None
        assert (state.took.changes, state.took.median, state.took.p99) == (3, 0.2 * SECOND, 0.9 * SECOND)
        assert (state.lag, state.follows, state.level, state.trouble) == (0, "client", EnforcementLevel.GOOD, "")

    def test_is_in_trouble_where_its_canary_was_not_refused(self) -> None:
        own = gateway()
        gateway_instance(None, "web-1", knows=0)
        CanaryProbe.objects.create(gateway=own, at=NOW, outcome=CanaryProbe.Outcome.IGNORED)

        assert "did not follow" in gateways(now=NOW + SECOND)[0].trouble

    def test_that_asks_for_the_first_time_meanwhile_is_shown_the_next_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway("edge")

        def find_wanted_late(*, now: datetime) -> Any:
            gateway("edge-new")
            return get_expected_state(now=now)

        monkeypatch.setattr(fleet, "get_expected_state", find_wanted_late)

        assert [state.gateway.name for state in gateways(now=NOW + SECOND)] == ["edge"]

    def test_that_is_removed_meanwhile_is_not_shown(self) -> None:
        gone, _ = gateway("edge-gone"), gateway("edge")
        known = list_known_gateways(now=NOW + SECOND)
        gone.delete()

        states = gateway_states(known, get_expected_state(now=NOW).expected, now=NOW + SECOND)

        assert [state.gateway.name for state in states] == ["edge"]

    def test_costs_the_same_queries_however_many_there_are(self, django_assert_num_queries: Any) -> None:
        for number in range(5):
            gateway_instance(gateway(f"edge-{number}", asked=False), knows=0)

        # 1 all that was heard of them, 2 what is wanted, 3 newest restrictions, 4 gateways with their counts, 5 times,
        # 6 probes
        with django_assert_num_queries(6):
            assert len(gateways(now=NOW + SECOND)) == 5
