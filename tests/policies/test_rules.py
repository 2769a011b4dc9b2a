"""What a policy's file says, and whom its rules fit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from governance.detection.detectors import all_detectors
from governance.detection.finding import Family
from governance.policies.rules import (
    BANDS_WITH_CASES,
    BandWithCase,
    FamilyAgainst,
    PolicyError,
    PolicyFacts,
    parse_policy,
)
from governance.policies.versions import propose
from governance.restrictions.kinds import RestrictionKind
from governance.staff.roles import Role
from tests.factories import account, person

NOON = datetime(2026, 11, 2, 12, 7, tzinfo=UTC)
SUSPECT = PolicyFacts(
    score=90,
    band="critical",
    families=frozenset({"content", "together"}),
    campaign_size=12,
    plan="free",
    licensed=False,
    events=1_000,
    age=timedelta(days=3),
)
RULE = """
[[rule]]
name = "Large campaigns on pay-as-you-go plans"
score = 85
bands = ["critical"]
families = ["content", "together"]
campaign_size = 10
plans = ["free"]
events = 500
younger_than_days = 30
action = "throttle"
requests_per_minute = 5
reason = "coordinated_accounts"
"""
POLICY = f'version = "2026-12"\ndelay_minutes = [10, 70]\nbatch_minutes = 60\n{RULE}'


def test_its_bands_are_those_that_open_cases() -> None:
    assert get_args(BandWithCase) == BANDS_WITH_CASES


def test_its_families_are_those_of_the_detectors_but_the_word_of_partners() -> None:
    others = {Family.HARMLESS, Family.PARTNERS}

    assert {detector.family for detector in all_detectors()} == {*get_args(FamilyAgainst)} | others


@pytest.mark.parametrize("family", get_args(FamilyAgainst))
def test_every_family_can_be_asked_for(family: str) -> None:
    rule = parse_policy(POLICY.replace("together", family)).rule_for(
        replace(SUSPECT, families=frozenset({"content", family}))
    )

    assert rule is not None


class TestARule:
    def test_fits_whom_all_its_conditions_fit(self) -> None:
        rule = parse_policy(POLICY).rule_for(SUSPECT)

        assert rule is not None
        assert (rule.action, rule.requests_per_minute) == ("throttle", 5)

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
        assert parse_policy(POLICY).rule_for(replace(SUSPECT, **other)) is None

    def test_that_comes_first_counts(self) -> None:
        strict = RULE.replace("throttle", "block").replace("requests_per_minute = 5", "").replace("Large", "Very large")
        policy = parse_policy(f'version = "1"\n{strict}\n{RULE}')

        rule = policy.rule_for(SUSPECT)
        assert rule is not None
        assert rule.action == "block"


class TestTheDelay:
    @pytest.mark.parametrize(("chance", "hour"), [(0.0, 13), (0.9, 14)])
    def test_is_drawn_and_rounded_up_to_the_batch(self, chance: float, hour: int) -> None:
        due = parse_policy(POLICY).due_at(now=NOON, chance=chance)

        assert due == NOON.replace(hour=hour, minute=0)

    def test_is_none_unless_the_policy_says_so(self) -> None:
        assert parse_policy(f'version = "1"\n{RULE}').due_at(now=NOON, chance=0.5) == NOON


class TestAFile:
    @pytest.mark.parametrize(
        ("before", "after", "says"),
        [
            ('version = "2026-12"', "", "version"),
            ("score = 85", "score = 101", "Rule 1: score"),
            ("score = 85", 'score = "85"', "Rule 1: score"),
            ('["critical"]', '["awful"]', "Rule 1: bands must be one of critical, elevated, high, not 'awful'"),
            (
                '"throttle"',
                '"banish"',
                f"Rule 1: action must be one of {', '.join(RestrictionKind.values)}",
            ),
            ('"coordinated_accounts"', '"dislike"', "Rule 1: reason must be one of bulk_harvest, reasoning_harvest"),
            ("requests_per_minute = 5", "", "needs requests_per_minute"),
            ('"throttle"', '"withhold"', "the action withhold needs withheld. Allowed: logprobs"),
            ('"throttle"', '"suspend"', "needs days"),
            ("plans =", "plan =", "Rule 1: plan (did you mean plans?) is not known. Allowed: name, score"),
            ("reason =", "reasn =", "Rule 1: reasn (did you mean reason?) is not known."),
            ("action =", "acton =", "Rule 1: acton (did you mean action?) is not known."),
            ("name =", "nmae =", "Rule 1: nmae (did you mean name?) is not known."),
            ("version =", "verson =", "The policy: verson (did you mean version?) is not known."),
            ("[[rule]]", "[[rules]]", "The policy: rules (did you mean rule?) is not known."),
            ('reason = "coordinated_accounts"', "", "Rule 1: reason is missing."),
            ("score = 85", "zzz = 85", "Rule 1: zzz is not known. Allowed: name, score,"),
            ("[10, 70]", "[70, 10]", "The policy: delay_minutes must be two whole numbers, the smaller first"),
            ("[10, 70]", "[10, 70, 90]", "delay_minutes must be two whole numbers"),
            ("[10, 70]", "[10, 99999]", "a week at most"),
            ("[[rule]]", "[rule]", "The policy: rule must be one or more tables, each begun with [[rule]]."),
            (RULE, "", "The policy: it has no rule. Begin each with [[rule]]."),
            (RULE, "rule = [7]", "Rule 1 must be a table, begun with [[rule]]."),
            ("score = 85", "score =", "Invalid TOML"),
            ("score = 85", "score = " + "9" * 5000, "Invalid TOML"),
            ("score = 85", "score = " + "[" * 5000, "nested too deeply"),
            ("score = 85", "score = 85.0", "Rule 1: score must be a whole number from 0 to 100"),
            ("score = 85", "score = true", "Rule 1: score must be a whole number"),
            (
                '"together"',
                '"campaign"',
                "Rule 1: families must be one of answers, content, identity, rhythm, shape, together, not 'campaign'",
            ),
            (
                '"together"',
                '"harmless"',
                "families must be one of answers, content, identity, rhythm, shape, together, not 'harmless'",
            ),
            ('"together"', '"Together"', "not 'Together'"),
            ('"together"', "7", "families must be one of answers"),
            (
                '["content", "together"]',
                '"content"',
                "families must be a list of at least one name. Allowed: content, shape",
            ),
            ('["content", "together"]', "[]", "families must be a list of at least one name"),
            ('["critical"]', '["low"]', "bands must be one of critical, elevated, high, not 'low'"),
            ('["critical"]', '["critical", "low"]', "bands must be one of critical, elevated, high, not 'low'"),
            (
                '["critical"]',
                '["high"]',
                "exclude each other, since the highest score of high is 84",
            ),
            ('["free"]', "[]", "plans must be a list of at least one name"),
            ('["free"]', '[" free"]', "plans must be a text in one line, without spaces around it"),
            ('["free"]', '[""]', "plans must be a text of 1 to 120 characters"),
            ("campaign_size = 10", "campaign_size = -1", "campaign_size must be a whole number"),
            ("events = 500", 'events = "many"', "events must be a whole number"),
            ("younger_than_days = 30", "younger_than_days = 1000000000", "younger_than_days must be a whole number"),
            ("requests_per_minute = 5", "requests_per_minute = 0", "from 1 to 1,000,000"),
            (
                "requests_per_minute = 5",
                "requests_per_minute = 5\nrequests_per_hour = 9",
                "requests_per_hour (did you mean requests_per_minute?) is not known",
            ),
            (
                "delay_minutes",
                "delay",
                "delay (did you mean delay_minutes?) is not known. Allowed: version, delay_minutes, batch_minutes",
            ),
            ('"throttle"', '"block"', "requests_per_minute belongs to the action throttle, not to block"),
            (
                "requests_per_minute",
                'withheld = ["logprobs"]\nrequests_per_minute',
                "withheld belongs to the action withhold",
            ),
            ('"2026-12"', '"2026\\u0000"', "version must be a text"),
            ('"2026-12"', '" 2026-12"', "The policy: version must be a text in one line, without spaces around it."),
            ('"2026-12"', '"' + "9" * 41 + '"', "version must be a text of 1 to 40 characters"),
            ('"Large campaigns on pay-as-you-go plans"', '"Large\\u202ecampaigns"', "name must be a text"),
            ("[10, 70]", "[true, 70]", "The policy: delay_minutes must be a whole number."),
            ("batch_minutes = 60", "batch_minutes = 1441", "batch_minutes must be a whole number from 0 to 1,440"),
        ],
    )
    def test_with_a_mistake_says_where(self, before: str, after: str, says: str) -> None:
        with pytest.raises(PolicyError) as error:
            parse_policy(POLICY.replace(before, after, 1))

        assert says in str(error.value)


@pytest.mark.django_db
class TestNamesThatTheInstallationMustKnow:
    def test_are_the_clauses_of_the_terms(self) -> None:
        clause = 'terms_clause = "9.9 No such clause"'

        with pytest.raises(PolicyError, match=r"terms_clause “9\.9 No such clause” does not exist\. Allowed: 2\.3"):
            propose(f"{POLICY}{clause}", by=person(role=Role.LEAD), now=NOON)

    def test_are_the_plans_of_the_register(self) -> None:
        account(plan="enterprise")
        account(plan="trial")

        with pytest.raises(PolicyError, match=r"no account has the plan free\. Known plans: enterprise, trial"):
            propose(POLICY, by=person(role=Role.LEAD), now=NOON)

    def test_are_taken_while_the_register_names_no_plan(self) -> None:
        account()

        assert propose(POLICY, by=person(role=Role.LEAD), now=NOON).version == "2026-12"

    def test_does_not_take_a_version_twice(self) -> None:
        propose(POLICY, by=person(role=Role.LEAD), now=NOON)

        with pytest.raises(PolicyError, match="already exists"):
            propose(POLICY, by=person(role=Role.LEAD), now=NOON)
