"""The table of kinds: what else lists kinds agrees with it, and what follows from a row."""

import pytest
from django.conf import settings
from django.db.models import Model

from governance.policies.models import PolicyOutcome
from governance.policies.rules import PolicyError, parse_policy
from governance.restrictions.kinds import (
    DENYING,
    FEATURES,
    LIMITS,
    NEEDS,
    STRENGTH,
    RestrictionKind,
    foreign_terms,
    kind_info,
    missing_need,
)
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import DISMISSING, RESTRICTING, Reason
from governance.restrictions.terms import Terms, parse_terms
from governance.review.models import ACTIONS, Decision, action_info, to_action
from stillwatch_gateway import entries

KINDS = [*RestrictionKind]
POLICY = 'version = "1"\n[[rule]]\nname = "All"\naction = "{kind}"\nreason = "{reason}"\n'
GIVEN = {"requests_per_minute": 5, "tokens_per_minute": 500, "withheld": ["logprobs"]}


def every_field_but(model: type[Model], name: str) -> set[str]:
    return {field.name for field in model._meta.fields} - {name}


class TestEveryKind:
    def test_is_known_to_the_client_with_its_strength_and_whether_it_denies(self) -> None:
        assert list(entries.KINDS) == list(STRENGTH) == RestrictionKind.values
        assert set(DENYING) == entries.DENYING

    def test_is_an_action_of_staff_and_of_policies(self) -> None:
        assert [action.value for action in ACTIONS] == ["dismiss", *RestrictionKind.values]
        with pytest.raises(PolicyError, match=", ".join(RestrictionKind.values)):
            parse_policy(POLICY.format(kind="banish", reason="other"))

    @pytest.mark.parametrize("kind", KINDS)
    def test_fits_its_columns(self, kind: RestrictionKind) -> None:
        Restriction(kind=kind).clean_fields(exclude=every_field_but(Restriction, "kind"))
        Decision(action=kind).clean_fields(exclude=every_field_but(Decision, "action"))
        PolicyOutcome(kind=kind).clean_fields(exclude=every_field_but(PolicyOutcome, "kind"))

    @pytest.mark.parametrize("action", ACTIONS)
    def test_has_its_drawing_and_its_colour(self, action: str) -> None:
        row = action_info(action)

        assert f'id="{row.icon}"' in (settings.BASE_DIR / "static/icons.svg").read_text()
        assert f'[data-tone="{row.tone}"]' in (settings.BASE_DIR / "static/css/parts.css").read_text()

    def test_has_a_place_in_the_style_sheet_and_so_have_its_parts_of_the_form(self) -> None:
        styles = (settings.BASE_DIR / "static/css/decide.css").read_text()

        assert f".action-choice:nth-child({len(ACTIONS)}) " in styles
        for part in {part for action in ACTIONS for part in action_info(action).form_parts.split()}:
            assert f'[data-for="{part}"]' in styles

    @pytest.mark.parametrize("kind", KINDS)
    def test_asks_for_a_confirmation_where_it_warns(self, kind: RestrictionKind) -> None:
        assert bool(kind.info.warning) == bool(kind.info.confirmation)

    @pytest.mark.parametrize("kind", KINDS)
    def test_has_the_terms_that_it_needs_and_no_others(self, kind: RestrictionKind) -> None:
        own = kind.info.need.members if kind.info.need else ()
        every = [member for need in NEEDS for member in need.members]

        assert missing_need(kind, {}) == kind.info.need
        assert all(missing_need(kind, {member: GIVEN[member]}) is None for member in own)
        assert list(foreign_terms(kind, GIVEN)) == [member for member in every if member not in own]

    def test_is_read_from_its_code_as_an_action(self) -> None:
        assert [to_action(action.value) for action in ACTIONS] == [*ACTIONS]


class TestAKindOfANewerRelease:
    def test_has_a_row_that_names_it(self) -> None:
        row = kind_info("unheard_of")

        assert (row.outcome, row.need, row.form_parts) == ("unheard_of", None, "")

    def test_is_stronger_than_any_that_is_known(self) -> None:
        assert Restriction.strength("unheard_of") > max(map(Restriction.strength, RestrictionKind))


class TestForeignTerms:
    def test_are_named_with_the_kinds_that_they_belong_to(self) -> None:
        assert foreign_terms("warn", GIVEN) == {
            "requests_per_minute": "throttle",
            "tokens_per_minute": "throttle",
            "withheld": "withhold",
        }

    @pytest.mark.parametrize(("kind", "need"), [("throttle", LIMITS), ("withhold", FEATURES), ("block", None)])
    def test_are_none_of_the_kind_that_needs_them(self, kind: str, need: object) -> None:
        assert kind_info(kind).need == need


class TestEveryReason:
    def test_either_restricts_or_dismisses(self) -> None:
        assert {*RESTRICTING} | {*DISMISSING} == {*Reason}
        assert not {*RESTRICTING} & {*DISMISSING}

    @pytest.mark.parametrize("reason", RESTRICTING)
    def test_that_restricts_is_one_of_policies(self, reason: Reason) -> None:
        assert parse_policy(POLICY.format(kind="watch", reason=reason)).rules[0].reason == reason

    @pytest.mark.parametrize("reason", DISMISSING)
    def test_that_dismisses_is_none_of_policies(self, reason: Reason) -> None:
        with pytest.raises(PolicyError, match=r"reason must be one of bulk_harvest, .*, other"):
            parse_policy(POLICY.format(kind="watch", reason=reason))

    @pytest.mark.parametrize("reason", [*Reason])
    def test_fits_its_columns(self, reason: Reason) -> None:
        Decision(reason=reason).clean_fields(exclude=every_field_but(Decision, "reason"))
        if reason in RESTRICTING:
            Restriction(reason=reason).clean_fields(exclude=every_field_but(Restriction, "reason"))


class TestTerms:
    def test_are_the_same_after_they_were_stored(self) -> None:
        terms = Terms(RestrictionKind.WITHHOLD, Reason.OTHER, terms_clause="2.3", withheld=("logprobs", "reasoning"))

        assert parse_terms(terms.as_json()) == terms

    def test_are_sent_to_gateways_without_the_clause(self) -> None:
        terms = Terms(RestrictionKind.THROTTLE, Reason.OTHER, terms_clause="2.3", requests_per_minute=5)

        assert terms.as_feed_json() == {
            "kind": "throttle",
            "reason": "other",
            "requests_per_minute": 5,
            "tokens_per_minute": None,
            "withheld": [],
        }
        assert terms.as_json() == terms.as_feed_json() | {"terms_clause": "2.3"}

    def test_name_each_withheld_feature_once_and_in_order(self) -> None:
        terms = Terms(RestrictionKind.WITHHOLD, Reason.OTHER, withheld=("reasoning", "logprobs", "reasoning"))

        assert terms.as_json()["withheld"] == ["logprobs", "reasoning"]
