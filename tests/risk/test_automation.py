"""What a policy's file says, and whom its rules fit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance.enforcement.models import Reason, Restriction
from governance.risk.automation import ACTIONS, REASONS, WITHHELD, Facts, PolicyError, read_policy

NOON = datetime(2026, 11, 2, 12, 7, tzinfo=UTC)
SUSPECT = Facts(
    score=90,
    band="critical",
    families=frozenset({"content", "campaign"}),
    campaign_size=12,
    plan="free",
    licensed=False,
    events=1_000,
    age=timedelta(days=3),
)
RULE = """
[[rule]]
name = "Large campaigns on free plans"
score = 85
bands = ["critical"]
families = ["content", "campaign"]
campaign_size = 10
plans = ["free"]
events = 500
younger_than_days = 30
action = "throttle"
requests_per_minute = 5
reason = "coordinated_accounts"
"""
POLICY = f'version = "2026-12"\ndelay_minutes = [10, 70]\nbatch_minutes = 60\n{RULE}'


def test_its_words_are_those_of_the_api() -> None:
    assert list(ACTIONS) == Restriction.Kind.values
    assert list(REASONS) == Reason.values
    assert list(WITHHELD) == Restriction.Withheld.values


class TestARule:
    def test_fits_whom_all_its_conditions_fit(self) -> None:
        rule = read_policy(POLICY).rule_for(SUSPECT)

        assert rule is not None
        assert (rule.action.kind, rule.action.requests_per_minute) == ("throttle", 5)

    @pytest.mark.parametrize(
        "other",
        [
            {"score": 84},
            {"band": "high"},
            {"families": frozenset({"content"})},
            {"campaign_size": 9},
            {"plan": "enterprise"},
            {"events": 499},
            {"age": timedelta(days=30)},
            {"age": None},
            {"licensed": True},
        ],
    )
    def test_fits_nobody_for_whom_one_does_not_hold(self, other: dict[str, Any]) -> None:
        assert read_policy(POLICY).rule_for(replace(SUSPECT, **other)) is None

    def test_that_comes_first_counts(self) -> None:
        strict = RULE.replace("throttle", "block").replace("requests_per_minute = 5", "").replace("Large", "Very large")
        policy = read_policy(f'version = "1"\n{strict}\n{RULE}')

        rule = policy.rule_for(SUSPECT)
        assert rule is not None
        assert rule.action.kind == "block"


class TestTheDelay:
    @pytest.mark.parametrize(("chance", "hour"), [(0.0, 13), (0.9, 14)])
    def test_is_drawn_and_rounded_up_to_the_batch(self, chance: float, hour: int) -> None:
        due = read_policy(POLICY).due(now=NOON, chance=chance)

        assert due == NOON.replace(hour=hour, minute=0)

    def test_is_none_unless_the_policy_says_so(self) -> None:
        assert read_policy(f'version = "1"\n{RULE}').due(now=NOON, chance=0.5) == NOON


class TestAFile:
    @pytest.mark.parametrize(
        ("before", "after", "says"),
        [
            ('version = "2026-12"', "", "version"),
            ("score = 85", "score = 101", "Rule 1: score"),
            ("score = 85", 'score = "85"', "Rule 1: score"),
            ('["critical"]', '["awful"]', "knows no awful"),
            ('"throttle"', '"banish"', "must be one of"),
            ('"coordinated_accounts"', '"dislike"', "must be one of"),
            ("requests_per_minute = 5", "", "needs requests_per_minute"),
            ('"throttle"', '"withhold"', "what is withheld"),
            ('"throttle"', '"suspend"', "needs days"),
            ("plans =", "plan =", "plan is not known"),
            ("[10, 70]", "[70, 10]", "the smaller first"),
            ("[10, 70]", "[10, 99999]", "a week at most"),
            ("[[rule]]", "[rule]", "no rule"),
            ("score = 85", "score =", "no TOML"),
        ],
    )
    def test_with_a_mistake_says_where(self, before: str, after: str, says: str) -> None:
        with pytest.raises(PolicyError, match=says):
            read_policy(POLICY.replace(before, after, 1))
