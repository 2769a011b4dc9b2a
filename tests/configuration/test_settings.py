"""Values that staff set: each change counts from then on, once, and is in the log with before and after."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.configuration.actions import set_due_targets, set_reason_settings
from governance.configuration.models import DueTarget
from governance.configuration.queries import (
    ReasonSetting,
    get_due_target_overrides,
    get_reason_overrides,
    list_setting_changes,
)
from governance.detection.queries import get_due_targets as effective_due_targets
from governance.detection.scoring import Band
from governance.detection.thresholds import DUE_AFTER, due_at
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, person

pytestmark = pytest.mark.django_db

USUAL = {"critical": 4, "high": 24}


@pytest.fixture
def jonas() -> User:
    return person("Jonas Lindqvist", role=Role.LEAD)


class TestADueTarget:
    def test_is_what_the_release_says_until_somebody_sets_it(self) -> None:
        assert effective_due_targets() == DUE_AFTER

    def test_counts_from_then_on(self, jonas: User) -> None:
        set_due_targets({Band.CRITICAL: 2}, defaults=USUAL, by=jonas, now=NOW)

        assert effective_due_targets() == {**DUE_AFTER, Band.CRITICAL: timedelta(hours=2)}
        assert due_at(95, opened_at=NOW, due_after=effective_due_targets()) == NOW + timedelta(hours=2)

    def test_is_in_the_log_with_before_and_after(self, jonas: User) -> None:
        set_due_targets({"high": 12}, defaults=USUAL, by=jonas, now=NOW)
        set_due_targets({"high": 6}, defaults=USUAL, by=jonas, now=NOW)

        entries = Entry.objects.filter(verb=Verb.DUE_TARGET_SET).order_by("number")
        assert [entry.details for entry in entries] == [{"before": 24, "after": 12}, {"before": 12, "after": 6}]
        assert {entry.actor_name for entry in entries} == {"Jonas Lindqvist"}

    def test_that_changes_with_others_is_one_entry_each(self, jonas: User) -> None:
        changed = set_due_targets({"critical": 4, "high": 12, "low": 100}, defaults=USUAL, by=jonas, now=NOW)

        assert changed == ["high", "low"]
        entries = Entry.objects.filter(verb=Verb.DUE_TARGET_SET).order_by("number")
        assert [entry.subject_id for entry in entries] == ["high", "low"]

    def test_that_is_so_already_leaves_no_entry(self, jonas: User) -> None:
        assert not set_due_targets({"high": 24}, defaults=USUAL, by=jonas, now=NOW)
        assert not Entry.objects.filter(verb=Verb.DUE_TARGET_SET).exists()

    @pytest.mark.parametrize("hours", [0, 90 * 24 + 1])
    def test_is_between_an_hour_and_ninety_days(self, hours: int) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            DueTarget.objects.create(band="high", hours=hours)


class TestAReason:
    def test_is_offered_without_a_clause_until_somebody_sets_it(self, jonas: User) -> None:
        assert get_reason_overrides() == {}
        assert not set_reason_settings(
            {"other": ReasonSetting()}, defaults={"other": ReasonSetting()}, by=jonas, now=NOW
        )

    def test_is_in_the_log_with_before_and_after(self, jonas: User) -> None:
        setting = ReasonSetting(is_offered=False, terms_clause="3.4 No resale of access")

        set_reason_settings({"resold_access": setting}, defaults={"resold_access": ReasonSetting()}, by=jonas, now=NOW)

        assert get_reason_overrides() == {"resold_access": setting}
        assert Entry.objects.get(verb=Verb.REASON_CHOICE_SET).details == {
            "before": {"is_offered": True, "terms_clause": ""},
            "after": {"is_offered": False, "terms_clause": "3.4 No resale of access"},
        }


class TestTheHistory:
    def test_lists_changes_of_settings_and_of_people_the_newest_first(self, jonas: User) -> None:
        set_due_targets({"high": 12}, defaults=USUAL, by=jonas, now=NOW)

        assert [entry.verb for entry in list_setting_changes(most=10)] == [Verb.DUE_TARGET_SET, Verb.USER_ADDED]
        assert get_due_target_overrides() == {"high": timedelta(hours=12)}

    def test_goes_on_before_an_entry(self, jonas: User) -> None:
        for hours in (1, 2, 3):
            set_due_targets({"high": hours}, defaults=USUAL, by=jonas, now=NOW)

        newest, *_ = list_setting_changes(most=1)
        assert [entry.details["after"] for entry in list_setting_changes(most=2, before=newest.number)] == [2, 1]
