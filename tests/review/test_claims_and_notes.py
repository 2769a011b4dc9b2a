"""The pages for claiming a case and noting on it."""

import uuid

import pytest
from django.test import Client

from governance.review.actions import claim, decide
from governance.review.models import Case, Step
from tests.factories import NOW, person
from tests.review.deciding import BLOCK
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = pytest.mark.django_db


class TestClaiming:
    def test_shows_until_when(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "claim/"), headers=by_htmx("claim"))

        assert "Claimed by you" in text(response)
        assert text(response).lstrip().startswith('<div id="claim"')

    def test_can_be_undone(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "claim/"))

        response = mira.post(address(harbour, "release/"), headers=by_htmx("claim"))

        assert "Claim" in text(response)
        assert Case.objects.get().claimed_by is None


class TestNoting:
    def test_adds_to_the_history(self, harbour: Case, mira: Client) -> None:
        note = {"text": "Asked the account manager."}

        response = mira.post(address(harbour, "note/"), note, headers=by_htmx("history"))

        assert text(response).lstrip().startswith('<section id="history"')
        assert "Asked the account manager." in text(response)

    def test_nothing_is_refused_at_the_field(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "note/"), {"text": " "}, headers=by_htmx("history"))

        assert (response.status_code, response["HX-Retarget"]) == (422, "#history")
        assert "Enter a note." in text(response)


def test_a_decided_case_can_still_be_noted_on(harbour: Case, mira: Client) -> None:
    decide(harbour, BLOCK, decision_id=uuid.uuid4(), by=person("Jonas Lindqvist"), now=NOW)

    response = mira.post(address(harbour, "note/"), {"text": "They wrote back."}, follow=True)

    assert "They wrote back." in text(response)


def test_a_claim_is_prolonged_by_claiming_again(harbour: Case) -> None:
    mira = person()
    claim(harbour, by=mira, now=NOW)
    before = Case.objects.get().claimed_until

    signed_in(mira).post(address(harbour, "claim/"))

    after = Case.objects.get().claimed_until
    assert before is not None
    assert after is not None
    assert after > before


class TestANote:
    def test_that_is_sent_again_is_stored_once(self, harbour: Case, mira: Client, jonas: Client) -> None:
        for sender, note in (
            (mira, "Called them."),
            (mira, "Called them."),
            (jonas, "Called them."),
            (jonas, "Again."),
        ):
            assert sender.post(address(harbour, "note/"), {"text": note}, headers=by_htmx("history")).status_code == 200

        notes = harbour.steps.filter(kind=Step.Kind.NOTED).order_by("pk")
        assert [(step.by, step.text) for step in notes] == [
            ("Mira Okafor", "Called them."),
            ("Jonas Lindqvist", "Called them."),
            ("Jonas Lindqvist", "Again."),
        ]

    def test_of_a_namesake_is_not_taken_for_the_same_one(self, harbour: Case) -> None:
        for _ in range(2):
            signed_in(person("Pat Lee")).post(address(harbour, "note/"), {"text": "Agreed."})

        assert harbour.steps.filter(kind=Step.Kind.NOTED).count() == 2

    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_is_as_long_as_the_page_counts_it(self, harbour: Case, mira: Client, line_end: str) -> None:
        longest = line_end.join(["🙂" * 99] * 40)  # 3,999 characters, a line break being one

        for note, status in ((f"{longest}!", 200), (f"{longest}!!", 422)):
            response = mira.post(address(harbour, "note/"), {"text": note}, headers=by_htmx("history"))
            assert response.status_code == status

        assert harbour.steps.get(kind=Step.Kind.NOTED).text == "\n".join(["🙂" * 99] * 40) + "!"
        assert f"{longest}!!</textarea>" in text(response)
