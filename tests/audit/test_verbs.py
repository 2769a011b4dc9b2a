"""What entries of the log hold: each verb names its fields, and an entry with others is refused."""

import re
from typing import Any

import pytest

from governance.audit.actions import NewEntry, record, record_all
from governance.audit.models import Entry
from governance.audit.verbs import Verb, describe_verb, verb_choices
from governance.restrictions.models import Restriction
from tests.factories import MACHINE, NOW

COMPLETE = {"shadow_minutes": 90, "scorings": 12}


def went_live(details: dict[str, Any]) -> Entry:
    return record(Verb.POLICY_WENT_LIVE, subject=("policy", "1"), by=MACHINE, now=NOW, details=details)


@pytest.mark.django_db
class TestAnEntry:
    def test_holds_the_fields_that_its_verb_requires(self) -> None:
        assert went_live(COMPLETE).details == COMPLETE

    def test_may_hold_those_that_are_optional(self) -> None:
        assert went_live(COMPLETE | {"early_because": "A campaign is under way."}).number == 1

    def test_is_refused_without_one_that_is_required(self) -> None:
        with pytest.raises(TypeError, match=r"policy\.went_live lacks scorings: see governance/audit/verbs\.py"):
            went_live({"shadow_minutes": 90})

    def test_is_refused_with_one_that_its_verb_does_not_name(self) -> None:
        with pytest.raises(TypeError, match=r"policy\.went_live does not name note:"):
            went_live(COMPLETE | {"note": "by the way"})

    def test_takes_those_recorded_with_it_along(self) -> None:
        good = NewEntry(Verb.POLICY_WENT_LIVE, ("policy", "1"), COMPLETE)

        with pytest.raises(TypeError):
            record_all([good, good._replace(details={})], by=MACHINE, now=NOW)

        assert not Entry.objects.exists()


@pytest.mark.parametrize("verb", Verb)
class TestEveryVerb:
    def test_fits_its_column_and_says_of_what_kind_it_is(self, verb: Verb) -> None:
        assert re.fullmatch(r"[a-z_]{1,30}\.[a-z_]{1,30}", verb)

    def test_is_named_as_it_reads(self, verb: Verb) -> None:
        kind, _, what = verb.partition(".")
        assert verb.name == f"{kind}_{what}".upper()

    def test_requires_no_field_that_is_optional(self, verb: Verb) -> None:
        assert not verb.required & verb.optional


@pytest.mark.parametrize("ending", Restriction.Ending.values)
def test_every_way_in_which_a_restriction_ends_has_a_verb(ending: str) -> None:
    assert Verb(f"restriction.{ending}").required == {"number", "kind"}


def test_filters_offer_every_verb() -> None:
    assert {value for value, _ in verb_choices()} == {*Verb}


def test_words_for_pages_hold_no_signs_of_the_verb_and_stand_for_one_verb_each() -> None:
    words = [describe_verb(verb) for verb in Verb]

    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z -]+", one) for one in words), words


def test_a_verb_of_another_release_is_put_into_words_as_well() -> None:
    assert describe_verb("window_pane.mended") == "window pane mended"
