from datetime import timedelta

import pytest
from django.test import override_settings

from governance.configuration.actions import set_reason_settings
from governance.configuration.queries import ReasonSetting
from governance.restrictions.reason_settings import usual_reason_settings
from governance.restrictions.reasons import Reason
from governance.review.forms import DecisionForm
from governance.review.queue_filters import QueueFilter, QueueView
from governance.review.queue_forms import QueueForm
from governance.review.verdicts import Verdict
from governance.staff.roles import Role
from tests.factories import NOW, person
from tests.review.pages import block_form

pytestmark = pytest.mark.django_db

CLAUSE = "2.3 No training of competing models"


def mistakes(**fields: str) -> dict[str, list[str]]:
    form = DecisionForm(block_form(**fields))
    form.is_valid()
    return {name: [str(error) for error in errors] for name, errors in form.errors.items()}


class TestADecision:
    def test_needs_an_action(self) -> None:
        assert mistakes(action="") == {"action": ["Choose an action."]}

    def test_to_dismiss_needs_a_reason_in_favour(self) -> None:
        assert mistakes(action="dismiss") == {"favour": ["Choose a reason for dismissing."]}

    @pytest.mark.parametrize("action", ["watch", "warn", "throttle", "withhold", "verify", "suspend", "block"])
    def test_to_restrict_needs_a_reason_against(self, action: str) -> None:
        assert "against" in mistakes(action=action, against="", days="7", requests_per_minute="5")

    def test_to_withhold_names_what(self) -> None:
        assert mistakes(action="withhold") == {"withheld": ["Choose the features to withhold."]}

    def test_about_more_than_the_account_needs_confirming(self) -> None:
        assert mistakes(action="watch", scope="organisation", confirmed="") == {"confirmed": ["Tick to confirm."]}

    @pytest.mark.parametrize("action", ["throttle", "withhold", "suspend", "block"])
    def test_to_take_something_away_needs_the_clause(self, action: str) -> None:
        assert "terms_clause" in mistakes(action=action, terms_clause="", days="7", requests_per_minute="5")

    def test_to_watch_needs_no_clause(self) -> None:
        assert mistakes(action="watch", terms_clause="") == {}

    def test_for_another_reason_needs_a_note(self) -> None:
        assert mistakes(against="other") == {"note": ["Describe the reason in the note."]}

    def test_to_throttle_needs_a_limit_that_lets_something_through(self) -> None:
        assert "requests_per_minute" in mistakes(action="throttle", requests_per_minute="")
        assert "requests_per_minute" in mistakes(action="throttle", requests_per_minute="0")

    def test_to_suspend_lasts_as_long_as_offered(self) -> None:
        assert "days" in mistakes(action="suspend", days="")
        assert "days" in mistakes(action="suspend", days="365")

    def test_takes_no_reason_from_the_other_side(self) -> None:
        assert "against" in mistakes(against="evaluation")

    def test_takes_no_clause_that_is_not_in_the_terms(self) -> None:
        assert "terms_clause" in mistakes(terms_clause="9.9 Whatever we like")

    def test_offers_the_clauses_of_the_seller(self) -> None:
        with override_settings(TERMS_CLAUSES=["4.2 Fair use"]):
            assert mistakes(terms_clause="4.2 Fair use") == {}

    def test_does_not_offer_a_reason_that_the_settings_leave_out(self) -> None:
        set_reason_settings(
            {Reason.BULK_HARVEST: ReasonSetting(is_offered=False)},
            defaults=usual_reason_settings(),
            by=person(role=Role.LEAD),
            now=NOW,
        )

        assert "against" in mistakes(against="bulk_harvest")
        assert mistakes(against="data_generation") == {}

    def test_chooses_the_clause_that_the_settings_give_with_a_reason(self) -> None:
        clause = "2.4 No automated extraction of answers"
        set_reason_settings(
            {Reason.BULK_HARVEST: ReasonSetting(terms_clause=clause), Reason.OTHER: ReasonSetting(terms_clause="9.9")},
            defaults=usual_reason_settings(),
            by=person(role=Role.LEAD),
            now=NOW,
        )

        clauses = DecisionForm().clauses

        assert clauses[Reason.BULK_HARVEST] == clause
        assert clauses[Reason.RESOLD_ACCESS] == "3.4 No resale of access"
        assert Reason.OTHER not in clauses, "the terms have no such clause"

    def test_is_another_one_with_every_new_form(self) -> None:
        assert DecisionForm()["decision"].value() != DecisionForm()["decision"].value()


class TestAVerdict:
    def verdict(self, **fields: str) -> Verdict:
        form = DecisionForm(block_form(**fields))
        assert form.is_valid(), form.errors
        return form.verdict()

    def test_takes_from_the_form_what_belongs_to_its_action(self) -> None:
        leftovers = {"favour": "evaluation", "days": "30", "requests_per_minute": "5"}

        verdict = self.verdict(**leftovers)

        assert verdict.reason == Reason.BULK_HARVEST
        assert (verdict.lasts, verdict.requests_per_minute) == (None, None)

    def test_to_dismiss_names_no_clause(self) -> None:
        verdict = self.verdict(action="dismiss", favour="expected_use")

        assert (verdict.reason, verdict.terms_clause) == (Reason.EXPECTED_USE, "")

    def test_to_suspend_says_for_how_long(self) -> None:
        assert self.verdict(action="suspend", days="7").lasts == timedelta(days=7)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({}, ["Block", "Answers harvested in bulk", CLAUSE]),
            ({"action": "dismiss", "favour": "expected_use"}, ["Dismiss", "Fits the customer's business"]),
            (
                {"action": "suspend", "days": "7", "scope": "organisation"},
                ["Suspend", "Answers harvested in bulk", CLAUSE, "for 7 days", "Its whole organisation"],
            ),
            (
                {"action": "throttle", "requests_per_minute": "5", "tokens_per_minute": "9000"},
                ["Throttle", "Answers harvested in bulk", CLAUSE, "5 requests per minute", "9,000 tokens per minute"],
            ),
        ],
        ids=["block", "dismiss", "suspend", "throttle"],
    )
    def test_is_told_in_words_where_it_came_too_late(self, fields: dict[str, str], said: list[str]) -> None:
        form = DecisionForm(block_form(**fields))
        assert form.is_valid(), form.errors

        assert form.chosen() == said

    def test_to_throttle_says_what_is_left(self) -> None:
        assert self.verdict(action="throttle", requests_per_minute="5").requests_per_minute == 5


class TestTheFiltersOfTheQueue:
    def test_are_read_from_the_address(self) -> None:
        form = QueueForm({"view": "mine", "band": "high", "q": " quill "})

        assert form.is_valid()
        assert form.queue_filter() == QueueFilter(view=QueueView.MINE, band="high", text="quill")

    def test_that_make_no_sense_are_named_one_by_one(self) -> None:
        form = QueueForm({"view": "theirs", "band": "high", "after": "x"})

        assert not form.is_valid()
        assert ["view:" in form.complaint, "band:" in form.complaint, "after:" in form.complaint] == [True, False, True]
