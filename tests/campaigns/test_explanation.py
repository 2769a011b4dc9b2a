from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from governance.campaigns.explanation import explanation_note
from governance.detection.models import Assessment
from tests.factories import FINDING, NOW, account, assessment, campaign_of

ALONE = FINDING | {"points": 30, "title": "Has the model generate tasks", "sentence": "80 % of 300 prompts make tasks."}
SHARED = ALONE | {"title": "Samples with randomness", "evidence": {"campaign_wide": True}, "family": "shape"}
TOGETHER = ALONE | {"title": "Coordinated with other accounts", "family": "together"}
EXCUSE = ALONE | {"title": "Does one narrow task", "family": "harmless", "points": -8, "sentence": "It translates."}


def explain(*findings: dict[str, object], score: int, **fields: object) -> str:
    about = account("acct_harbour", declared_use="customer support")
    one = assessment(about, score=score)
    Assessment.objects.filter(pk=one.pk).update(findings=list(findings), **fields)
    return " ".join(explanation_note(about).split())


@pytest.mark.django_db
class TestANote:
    def test_says_what_speaks_for_and_against_and_what_follows(self) -> None:
        text = explain(ALONE, SHARED, EXCUSE, score=52, response="case")

        assert "acct_harbour: 52 points of 100" in text
        assert "2 independent kinds of evidence are against it" in text
        assert "+30 Has the model generate tasks" in text
        assert "Findings in its favour -8 Does one narrow task" in text
        assert "It declared its use as “customer support”." in text

    def test_says_which_finding_it_hangs_on(self) -> None:
        text = explain(ALONE, SHARED | {"evidence": {}}, score=60)

        assert "Decisive: Has the model generate tasks; Samples with randomness." in text

    def test_takes_what_the_campaign_shows_as_one_piece_of_evidence(self) -> None:
        text = explain(ALONE | {"points": 5}, SHARED, TOGETHER, score=65)

        assert "Decisive: its membership of the campaign." in text

    def test_says_how_far_a_harmless_account_is_from_the_line(self) -> None:
        assert "it is 38 points short of the review line" in explain(EXCUSE, score=12, response="nothing")

    def test_says_that_nothing_follows_for_a_licensed_distiller(self) -> None:
        assert "A licence permits training on the answers" in explain(ALONE, score=90, licensed=True)

    def test_says_of_when_its_figures_are_and_when_they_were_confirmed(self) -> None:
        text = explain(ALONE, score=60, confirmed_at=NOW + timedelta(hours=3), events=3000)

        assert "Assessed 2 November 2026, 09:14 UTC by calibration 1: the figures below are of that time." in text
        assert "Confirmed 2 November, 12:14 on 3,000 requests" in text

    def test_says_that_nothing_follows_where_no_rule_asks_for_a_case(self) -> None:
        assert "No action. " in explain(ALONE, score=90, response="nothing")

    def test_names_the_first_members_of_a_campaign_and_who_is_left_out_of_it(self) -> None:
        own, *others = (account(f"acct_{number:02}") for number in range(20))
        campaign = campaign_of(own, *others)
        why = "It uses the wrappers in other proportions."
        campaign.members.create(
            account=account("acct_aside"), joined_at=NOW, tied_to=3, strength=0.2, ties={}, left_out_because=why
        )
        assessment(own)

        text = explanation_note(own)

        assert text.count(": joined by little") == 12
        assert "  and 7 more\n" in text
        assert f"  left out: acct_aside. {why}\n" in text

    def test_of_an_unknown_account_is_refused(self) -> None:
        with pytest.raises(CommandError, match=r"^There is no account acct_nobody\.$"):
            call_command("explain", "acct_nobody")

    def test_of_an_account_that_was_never_assessed_says_so(self) -> None:
        assert "not assessed yet" in explanation_note(account("acct_new"))
