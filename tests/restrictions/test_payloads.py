"""Restrictions as gateways were sent them, read back: exact results. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from governance.restrictions.kinds import (
    FEATURES,
    LIMITS,
    KindInfo,
    RestrictionKind,
    foreign_terms,
    kind_choices,
    kind_info,
    kinds_with,
)
from governance.restrictions.payloads import LONGEST_NAME, merge_payloads, parse_payload, payload_names
from governance.restrictions.reasons import DISMISSING, RESTRICTING, Reason, all_reason_choices, restricting_choices
from governance.restrictions.terms import Terms, parse_terms

NOW = datetime(2026, 11, 2, 9, 14, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


def payload(**members: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "kind": "block",
        "reason": "bulk_harvest",
        "from": EARLIER.isoformat(),
        "until": None,
        "withheld": [],
    }
    return {name: value for name, value in (whole | members).items() if value != "missing"}


class TestNames:
    @pytest.mark.parametrize(
        ("kind", "listed", "names"),
        [
            ("account", ["a", "", 5, "x" * LONGEST_NAME, "x" * (LONGEST_NAME + 1), "a\0"], ["a", "x" * LONGEST_NAME]),
            ("digest", ["a" * 64, "A" * 64, "a" * 63, "a" * 65, "g" * 64], ["a" * 64]),
            ("key", ["no digest"], ["no digest"]),
            ("key", "k", []),
            ("key", None, []),
        ],
    )
    def test_are_those_that_can_be_ids_or_digests(self, kind: str, listed: Any, names: list[str]) -> None:
        assert payload_names({"names": {kind: listed}}, kind) == names

    @pytest.mark.parametrize("names", [None, [], "x", {"key": ["k"]}])
    def test_are_none_where_none_are_listed(self, names: object) -> None:
        assert payload_names({"names": names}, "account") == []
        assert payload_names({}, "account") == []


class TestAChange:
    def test_has_all_names(self) -> None:
        change = {"kind": "warn", "names": {"key": ["b"]}, "names_added": {"key": ["b"]}, "names_removed": {}}

        assert merge_payloads({"kind": "block", "names": {"key": ["a"]}}, change) == {
            "kind": "warn",
            "names": {"key": ["b"]},
        }

    def test_has_the_names_that_came_and_went(self) -> None:
        before = {"names": {"key": ["b", "a", "d"], "account": ["x"]}}
        change = {"kind": "warn", "names_added": {"digest": ["f"], "key": ["c"]}, "names_removed": {"key": ["a", "z"]}}

        assert merge_payloads(before, change) == {
            "kind": "warn",
            "names": {"key": ["b", "c", "d"], "account": ["x"], "digest": ["f"]},
        }

    def test_may_add_what_it_removes(self) -> None:
        assert merge_payloads({}, {"names_added": {"key": ["a"]}, "names_removed": {"key": ["a"]}}) == {
            "names": {"key": ["a"]}
        }

    def test_may_say_nothing_of_names(self) -> None:
        assert merge_payloads({"names": {"key": ["a"]}}, {}) == {"names": {"key": ["a"]}}


class TestTermsReadBack:
    def test_are_those_that_were_sent(self) -> None:
        sent = payload(kind="throttle", requests_per_minute=60, until=LATER.isoformat(), **{"from": LATER.isoformat()})
        until = LATER + timedelta(seconds=1)

        assert parse_payload(sent | {"until": until.isoformat()}, now=NOW) == Terms(
            "throttle", "bulk_harvest", until=until, starts_at=LATER, requests_per_minute=60
        )

    @pytest.mark.parametrize(
        ("since", "starts_at"), [(EARLIER, None), (NOW, None), (NOW + timedelta(microseconds=1),) * 2]
    )
    def test_start_later_or_have_started(self, since: datetime, starts_at: datetime | None) -> None:
        assert parse_payload(payload(**{"from": since.isoformat()}), now=NOW) == Terms(
            "block", "bulk_harvest", starts_at=starts_at
        )

    @pytest.mark.parametrize("until", ["missing", None, ""])
    def test_may_have_no_end(self, until: object) -> None:
        assert parse_payload(payload(until=until), now=NOW) == Terms("block", "bulk_harvest")

    @pytest.mark.parametrize(
        ("since", "until"), [(EARLIER, NOW), (EARLIER, EARLIER), (LATER, LATER), (LATER, NOW + timedelta(minutes=30))]
    )
    def test_that_are_over_are_none(self, since: datetime, until: datetime) -> None:
        over = payload(until=until.isoformat(), **{"from": since.isoformat()})

        assert parse_payload(over, now=NOW) is None

    @pytest.mark.parametrize("reason", ["unheard_of", "evaluation", "missing", None])
    def test_have_another_reason_where_theirs_is_none_to_restrict(self, reason: object) -> None:
        assert parse_payload(payload(reason=reason), now=NOW) == Terms("block", "other")

    def test_name_what_is_withheld_once_and_in_order(self) -> None:
        sent = payload(kind="withhold", withheld=["reasoning", "logprobs", "reasoning"])

        assert parse_payload(sent, now=NOW) == Terms("withhold", "bulk_harvest", withheld=("logprobs", "reasoning"))

    @pytest.mark.parametrize("withheld", ["missing", None, []])
    def test_may_withhold_nothing(self, withheld: object) -> None:
        assert parse_payload(payload(withheld=withheld), now=NOW) == Terms("block", "bulk_harvest")

    @pytest.mark.parametrize(
        "members",
        [
            {"kind": "missing"},
            {"kind": "banish"},
            {"from": "missing"},
            {"from": None},
            {"from": "2026-11-02T09:14:00"},
            {"until": "2030-11-02T09:14:00"},
            {"until": 5},
            {"withheld": ["everything"]},
            {"withheld": 5},
            {"kind": "throttle"},
            {"kind": "withhold"},
            {"requests_per_minute": "x"},
        ],
    )
    def test_that_this_release_does_not_know_are_none(self, members: dict[str, Any]) -> None:
        assert parse_payload(payload(**members), now=NOW) is None


class TestTerms:
    @pytest.mark.parametrize(
        ("starts_at", "start", "later"),
        [(None, NOW, False), (EARLIER, NOW, False), (NOW, NOW, False), (LATER, LATER, True)],
    )
    def test_start_at_once_or_later(self, starts_at: datetime | None, start: datetime, *, later: bool) -> None:
        terms = Terms("block", "other", starts_at=starts_at)

        assert (terms.start(NOW), terms.starts_later(NOW)) == (start, later)

    def test_are_read_from_members_and_others(self) -> None:
        asked = {"kind": "warn", "reason": "other", "unheard_of": 1, "terms_clause": "2.3"}

        assert parse_terms(asked, approver="ana", terms_clause="4") == Terms(
            "warn", "other", terms_clause="4", approver="ana"
        )
        with pytest.raises(msgspec.ValidationError):
            parse_terms({"kind": "warn"})

    def test_are_stored_without_times_and_the_approver(self) -> None:
        terms = Terms("block", "other", until=LATER, starts_at=NOW, approver="ana", tokens_per_minute=9)

        assert terms.as_json() == {
            "kind": "block", "reason": "other", "terms_clause": "", "requests_per_minute": None,
            "tokens_per_minute": 9, "withheld": [],
        }  # fmt: skip


class TestKinds:
    def test_are_offered_in_the_order_of_their_strength(self) -> None:
        assert kind_choices() == [(kind.value, kind.label) for kind in RestrictionKind]
        assert kind_choices()[0] == ("watch", "Watch")

    def test_that_are_not_known_have_a_neutral_info(self) -> None:
        assert kind_info("banish") == KindInfo(outcome="banish", command="banish", icon="warning", tone="elevated")
        assert kind_info("block") is RestrictionKind.BLOCK.info

    def test_are_those_that_have_a_need(self) -> None:
        assert kinds_with(LIMITS) == [RestrictionKind.THROTTLE]
        assert kinds_with(FEATURES) == [RestrictionKind.WITHHOLD]

    @pytest.mark.parametrize(
        ("kind", "parts"),
        [("watch", ""), ("throttle", "limits"), ("withhold", "withheld"), ("suspend", "days"), ("block", "warning")],
    )
    def test_have_their_parts_of_the_form(self, kind: str, parts: str) -> None:
        assert kind_info(kind).form_parts == parts

    def test_have_no_foreign_terms_where_none_are_given(self) -> None:
        assert foreign_terms("throttle", {"requests_per_minute": 5, "withheld": []}) == {}


class TestReasons:
    def test_are_offered_all_or_only_those_to_restrict(self) -> None:
        assert all_reason_choices() == [(reason.value, reason.label) for reason in Reason]
        assert restricting_choices() == [(reason.value, reason.label) for reason in RESTRICTING]
        assert restricting_choices()[0] == ("bulk_harvest", "Answers harvested in bulk")
        assert len(RESTRICTING) == len(Reason) - len(DISMISSING) == 7
