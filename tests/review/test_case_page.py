import uuid
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries
from time_machine import TimeMachineFixture

from accounts.models import Account
from governance.campaigns.models import Campaign, CampaignMember
from governance.detection.models import Assessment
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import Reason
from governance.review.actions import add_note, claim, decide
from governance.review.models import ACTIONS, Case, Dismissal
from governance.review.verdicts import Verdict
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from tests.factories import (
    FINDING,
    NOW,
    account,
    api_key,
    assessment,
    case,
    line,
    person,
    restriction,
    training_licence,
)
from tests.review.markup import outline
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]

DISMISS = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)


@pytest.fixture
def _at_now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def campaign_with(*members: Account, state: Campaign.State = Campaign.State.OPEN) -> Campaign:
    together = FINDING | {"points": 22, "sentence": "Over all of them: ever-new questions.", "evidence": {}}
    campaign = Campaign.objects.create(
        first_seen_at=NOW, opened_at=NOW, size=len(members), state=state, score=80, findings=[together]
    )
    CampaignMember.objects.bulk_create(
        CampaignMember(
            campaign=campaign, account=one, joined_at=NOW, tied_to=len(members) - 1, strength=1.0,
            ties={"wrappers": 1.0, "card": 0.1},
        )
        for one in members
    )  # fmt: skip
    return campaign


def page_of(about: Case, *, role: Role = Role.REVIEWER) -> str:
    return text(signed_in(person("Ines Varga", role=role)).get(address(about)))


def with_findings(*findings: dict[str, object]) -> Case:
    about = account("acct_harbour")
    seen = assessment(about, findings=list(findings))
    opened = case(about)
    opened.assessment = seen
    opened.save()
    return opened


class TestTheScore:
    def test_is_told_as_points_for_and_against(self) -> None:
        opened = with_findings(FINDING | {"points": 60}, FINDING | {"points": 34}, FINDING | {"points": -12})

        page = page_of(opened)

        assert "+94" in page
        assert "−12" in page

    def test_has_the_probability_beside_its_points(self) -> None:
        suspect = with_findings(FINDING)
        Assessment.objects.update(probability=0.81, probability_low=0.73, probability_high=0.87)

        assert "Probability of a harvest: 81 % (73 % to 87 %)." in page_of(suspect)

    def test_names_no_interval_that_is_none_in_whole_percent(self) -> None:
        suspect = with_findings(FINDING)
        Assessment.objects.update(probability=0.998, probability_low=0.997, probability_high=0.999)

        assert "Probability of a harvest: over 99 %." in page_of(suspect)

    def test_has_each_finding_in_its_sentence_with_figures_and_a_harmless_reason(self) -> None:
        page = page_of(with_findings(FINDING))

        assert str(FINDING["title"]) in page
        assert "94\N{NO-BREAK SPACE}% of 2,310 prompts wrap a new payload in the same words." in page
        assert str(FINDING["harmless"]) in page
        assert "2,310</dd>" in page

    def test_shows_what_a_detector_says_of_itself(self) -> None:
        page = page_of(with_findings(FINDING | {"detector": "shared_card"}))

        assert "Many accounts on one card keep each below what would be noticed." in page

    def test_survives_a_detector_that_is_gone(self) -> None:
        assert str(FINDING["title"]) in page_of(with_findings(FINDING | {"detector": "gone_since"}))


class TestTheAccount:
    def test_is_described_by_what_is_known_of_it(self) -> None:
        harbour = account(
            "acct_harbour", organisation="org_quay", plan="scale", declared_use="support bot", country="NL"
        )
        api_key(harbour, "key_5521")

        page = page_of(case(harbour))

        for fact in ("org_quay", "scale", "support bot", "NL", "key_5521"):
            assert fact in page

    def test_names_a_licence_that_permits_training(self) -> None:
        harbour = account("acct_harbour")
        training_licence(harbour)

        assert "training permitted" in page_of(case(harbour))

    def test_leads_to_others_on_the_same_card(self) -> None:
        harbour = account("acct_harbour", payment_fingerprint="card_1")
        twin = case(account("acct_twin", payment_fingerprint="card_1"), score=91)
        account("acct_stranger", payment_fingerprint="card_2")

        page = page_of(case(harbour))

        assert address(twin) in page
        assert "shared with 1 other" in page
        assert "acct_stranger" not in page


class TestUse:
    def test_is_drawn_and_told_as_a_table(self) -> None:
        about = self.harbour_with_use()

        page = page_of(about)

        assert "<title>Sun 1 Nov, 09:00: 2 requests</title>" in page
        assert "<caption>Usage by hour</caption>" in page
        assert "flagship-2" in page

    def test_that_is_gone_leaves_a_sentence(self) -> None:
        assert "no longer stored" in page_of(case())

    def harbour_with_use(self, words: str = "Solve it step by step.") -> Case:
        at = (NOW - timedelta(days=1)).isoformat()
        asked = [{"role": "user", "content": words}]
        lines = [line(account="acct_harbour", occurred_at=at, messages=asked) for _ in range(2)]
        record_lines(lines, source="native", now=NOW)
        return case(Account.objects.get(external_id="acct_harbour"))


class TestRestrictions:
    def test_in_force_can_be_lifted_from_the_page(self) -> None:
        harbour = account("acct_harbour")
        in_force = restriction(harbour, Restriction.Kind.WATCH)

        page = page_of(case(harbour))

        assert "watched" in page
        assert f"restrictions/{in_force.number}/lift/" in page

    def test_on_a_key_of_the_account_are_shown_with_the_key(self) -> None:
        harbour = account("acct_harbour")
        restriction(api_key(harbour, "key_5521"), Restriction.Kind.BLOCK)

        assert "key <bdi>key_5521</bdi>" in page_of(case(harbour))

    def test_cannot_be_lifted_by_an_auditor(self) -> None:
        harbour = account("acct_harbour")
        restriction(harbour, Restriction.Kind.WATCH)

        assert "/lift/" not in page_of(case(harbour), role=Role.AUDITOR)


class TestHistory:
    def test_tells_who_did_what(self) -> None:
        opened = case()
        add_note(opened, text="Asked the account manager.", by=person("Jonas Lindqvist"), now=NOW)

        page = page_of(opened)

        assert "Jonas Lindqvist" in page
        assert "Asked the account manager." in page

    def test_holds_earlier_decisions_about_the_account(self) -> None:
        harbour = account("acct_harbour")
        earlier = case(harbour)
        decide(earlier, DISMISS, decision_id=uuid.uuid4(), by=person("Jonas Lindqvist"), now=NOW)

        page = page_of(case(harbour, score=95))

        assert address(earlier) in page
        assert "Earlier decisions" in page

    def test_lists_no_later_decision_as_an_earlier_one(self) -> None:
        harbour, jonas = account("acct_harbour"), person("Jonas Lindqvist")
        cases = []
        for place in range(3):
            cases.append(case(harbour))
            decide(cases[-1], DISMISS, decision_id=uuid.uuid4(), by=jonas, now=NOW + timedelta(hours=place))
        first, second, third = cases

        page = page_of(second)

        assert address(first) in page
        assert address(third) not in page
        assert "Earlier decisions" not in page_of(first)

    def test_shows_its_own_decision_however_many_came_later(self) -> None:
        harbour, jonas = account("acct_harbour"), person("Jonas Lindqvist")
        first = case(harbour)
        decide(first, DISMISS, decision_id=uuid.uuid4(), by=jonas, now=NOW)
        for place in range(10):
            decide(case(harbour), DISMISS, decision_id=uuid.uuid4(), by=jonas, now=NOW + timedelta(hours=place + 1))

        assert "Dismissed" in page_of(first)


class TestTheDecisionPanel:
    def test_offers_every_action(self) -> None:
        page = page_of(case())

        for action in ACTIONS:
            assert f'name="action" value="{action}"' in page

    def test_is_the_decision_once_there_is_one(self) -> None:
        opened = case()
        decide(opened, DISMISS, decision_id=uuid.uuid4(), by=person("Jonas Lindqvist"), now=NOW)

        page = page_of(opened)

        assert "Dismissed" in page
        assert "Jonas Lindqvist" in page
        assert 'name="action"' not in page

    def test_says_who_works_on_the_case(self) -> None:
        opened = case()
        claim(opened, by=person("Jonas Lindqvist"), now=NOW)

        page = page_of(opened)

        assert "Jonas Lindqvist is working on this" in page
        assert 'name="action"' not in page
        assert 'href="#decide"' not in page
        assert "Claimed by Jonas Lindqvist" in page
        assert 'You can <a href="#history">add a note</a> or take the' in page

    def test_offers_an_auditor_nothing_to_press(self) -> None:
        page = page_of(case(), role=Role.AUDITOR)

        for what in ("decide/", "claim/", "note/"):
            assert what not in page


class TestACampaign:
    def test_is_shown_with_its_members_and_those_left_out(self) -> None:
        opened, licensed = case(account("acct_head_1")), account("acct_distiller")
        campaign = campaign_with(opened.account, account("acct_head_2"), account("acct_head_3"))
        CampaignMember.objects.create(
            campaign=campaign, account=licensed, joined_at=NOW, tied_to=3, strength=1.0, ties={"wrappers": 1.0},
            left_out_because="A licence permits training on the answers.",
        )  # fmt: skip

        page = page_of(opened)

        assert "Campaign: 3 accounts now" in page
        assert "acct_head_2" in page
        assert "prompts open or close in the same words" in page
        assert "Over all of them: ever-new questions." in page
        assert "A licence permits training on the answers." in page

    @pytest.mark.parametrize(
        ("then", "said"),
        [(12, "The campaign has 2 accounts now; a decision about it covers these."), (2, ""), (None, "")],
    )
    def test_says_how_many_it_has_now_where_a_finding_counted_others(self, then: int | None, said: str) -> None:
        opened = case(account("acct_head_1"))
        campaign_with(opened.account, account("acct_head_2"))
        sentence = f"Over {then} accounts of its campaign: ever-new questions."
        evidence = {} if then is None else {"accounts": then, "campaign_wide": True}
        opened.assessment.findings = [FINDING | {"sentence": sentence, "evidence": evidence}]
        opened.assessment.save()

        page = page_of(opened)

        assert ("Campaign figures are from the last assessment" in page) is bool(said)
        assert said in page

    def test_says_where_the_campaign_that_a_finding_counts_is_over(self) -> None:
        opened = case(account("acct_head_1"))
        together = FINDING | {"family": "together", "evidence": {"members": 12, "tied_to": 3}}
        opened.assessment.findings = [together]
        opened.assessment.save()

        assert "The account is not in an open campaign now." in page_of(opened)

    def test_leads_from_member_to_member(self) -> None:
        opened, other = case(account("acct_head_1")), case(account("acct_head_2"))
        campaign_with(opened.account, other.account)

        assert f'href="{address(other)}"' in page_of(opened)

    def test_costs_no_more_queries(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        opened, client = case(account("acct_head_1")), signed_in(person())
        campaign_with(opened.account, account("acct_head_2"))

        with django_assert_num_queries(12):
            client.get(address(opened))

    def test_is_not_shown_where_the_group_harvests_nothing(self) -> None:
        opened = case(account("acct_client_1"))
        campaign_with(opened.account, account("acct_client_2"), state=Campaign.State.WATCHED)

        assert "Campaign:" not in page_of(opened)


class TestThePage:
    def test_costs_few_queries(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        opened, client = case(), signed_in(person())

        # 1 session, 2 user, 3 case with account, organisation, assessment, claimant and keys, 4 restrictions,
        # 5 hours of use, 6 use by model, 7 campaign, 8 linked accounts, 9 excerpts, 10 decisions, 11 licences, 12 steps
        with django_assert_num_queries(12):
            client.get(address(opened))

    def test_asks_only_for_what_a_fragment_shows(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        opened, client = case(), signed_in(person())

        # 1 session, 2 user, 3 case, 4 steps
        with django_assert_num_queries(4):
            client.get(address(opened), headers=by_htmx("history"))

    def test_and_its_fragment_are_the_same(self) -> None:
        opened, client = case(account("acct_harbour")), signed_in(person())

        fragment = text(client.get(address(opened), headers=by_htmx("case", boosted=True)))

        assert "<html" not in fragment
        assert '<section id="case"' in fragment
        assert "acct_harbour · 82 · Stillwatch</title>" in fragment

    def test_is_kept_by_no_browser(self) -> None:
        response = signed_in(person()).get(address(case()))

        assert "no-store" in response["Cache-Control"]

    def test_that_does_not_exist_is_not_found(self) -> None:
        response = signed_in(person()).get(f"/cases/{uuid.uuid4()}/")

        assert response.status_code == 404
        assert "Page not found" in text(response)

    @pytest.mark.parametrize("path", ["/queue/", "case"])
    def test_can_be_read_without_seeing_it(self, path: str) -> None:
        opened = case(account("acct_harbour"))
        restriction(opened.account, Restriction.Kind.WATCH)

        seen = outline(text(signed_in(person()).get(address(opened) if path == "case" else path)))

        assert seen.unlabelled == []
        assert seen.headings[0] == 1
        assert all(deeper - level <= 1 for level, deeper in zip(seen.headings, seen.headings[1:], strict=False))
        assert len(seen.ids) == len(set(seen.ids))
        assert seen.styled == []


class TestTheNextCase:
    def test_is_the_first_after_one_that_is_left_undecided(self) -> None:
        first, second = case(score=95), case(score=90)
        case(score=99)

        response = signed_in(person()).get(f"/cases/next/?after={first.pk}")

        assert response["Location"] == address(second)

    def test_is_the_top_of_the_queue_after_a_decision(self) -> None:
        top, decided = case(score=99), case(score=90)
        decide(decided, DISMISS, decision_id=uuid.uuid4(), by=person(), now=NOW)

        response = signed_in(person()).get(f"/cases/next/?after={decided.pk}")

        assert response["Location"] == address(top)

    def test_starts_at_the_top_again_after_the_last(self) -> None:
        top, last = case(score=99), case(score=60)

        response = signed_in(person()).get(f"/cases/next/?after={last.pk}")

        assert response["Location"] == address(top)

    def test_is_none_that_somebody_else_has_claimed(self) -> None:
        taken, free = case(score=99), case(score=60)
        claim(taken, by=person("Jonas Lindqvist"), now=NOW)

        assert signed_in(person()).get("/cases/next/")["Location"] == address(free)

    def test_is_the_queue_when_nothing_waits(self) -> None:
        client = signed_in(person())

        assert client.get("/cases/next/")["Location"] == "/queue/"
        assert client.get("/cases/next/", headers=by_htmx("case"))["HX-Redirect"] == "/queue/"
        assert "No cases waiting." in text(client.get("/queue/"))
