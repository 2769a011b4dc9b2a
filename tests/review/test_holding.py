"""Holding, assigning and escalating a case, and what comes of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from governance.audit.models import Entry
from governance.review.actions import claim
from governance.review.campaign_cases import update_campaign_cases
from governance.review.case_opening import open_or_update_cases
from governance.review.handing_out import claim_next
from governance.review.holding import answer_escalation, assign, escalate, hold, resume
from governance.review.inbox import get_inbox
from governance.review.models import Case, Step
from governance.review.queries import queue_counts
from governance.review.queue_filters import QueueFilter
from governance.review.undo import undo_decision
from governance.review.verdicts import AlreadyDecidedError, CaseTakenError
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, account, assessment, campaign_case, case, person
from tests.review.deciding import decided
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = pytest.mark.django_db
IN_A_DAY = NOW + timedelta(days=1)


def waiting(client: Client, query: str = "") -> list[str]:
    rows = client.get(f"/queue/{query}").context["page"].rows
    return [row.case.account.external_id for row in rows]


def next_of(user: User) -> Case | None:
    return claim_next(QueueFilter(), leaving=None, by=user, now=NOW)


class TestACaseThatIsEscalated:
    def test_is_nobodys_and_no_longer_on_hold(self) -> None:
        opened, mira, jonas = case(), person(), person("Jonas Lind", role=Role.LEAD)
        assign(opened, to=mira, because="You know them.", by=jonas, now=NOW)
        hold(opened, until=IN_A_DAY, because="Legal.", by=mira, now=NOW)

        escalate(opened, because="May we?", by=mira, now=NOW)

        assert next_of(jonas) == opened

    def test_twice_by_the_same_form_is_asked_once(self) -> None:
        opened, mira, jonas = case(), person(), person("Jonas Lind", role=Role.LEAD)

        for _ in range(2):
            escalate(opened, because="May we?", by=mira, now=NOW)

        assert len(get_inbox(jonas, now=NOW).items) == 1


class TestACaseThatIsAssigned:
    def test_twice_by_the_same_form_is_told_once(self) -> None:
        opened, mira, jonas = case(), person(), person("Jonas Lind")

        for _ in range(2):
            assign(opened, to=jonas, because="You know them.", by=mira, now=NOW)

        assert len(get_inbox(jonas, now=NOW).items) == 1

    @pytest.mark.parametrize("changed", [{"is_active": False}, {"role": Role.AUDITOR}], ids=["shut out", "auditor"])
    def test_to_somebody_who_no_longer_works_is_free(self, changed: dict[str, Any]) -> None:
        opened, mira, gone = case(), person(), person("Ines Duarte")
        assign(opened, to=gone, because="You know them.", by=mira, now=NOW)
        assert next_of(mira) is None

        User.objects.filter(pk=gone.pk).update(**changed)

        assert next_of(mira) == opened


class TestHolding:
    def test_ends_where_the_score_rose_while_the_case_was_closed(self) -> None:
        opened, mira = case(score=55, band="elevated"), person()
        hold(opened, until=IN_A_DAY, because="Legal.", by=mira, now=NOW)
        decided(opened)
        assessment(opened.own_account, score=95)

        undo_decision(opened, note="A slip.", by=mira, now=NOW)

        opened.refresh_from_db()
        assert (opened.score, opened.is_held(at=NOW)) == (95, False)

    def test_takes_the_case_out_of_the_queue_and_gives_the_claim_back(self) -> None:
        opened, mira = case(), person()
        claim(opened, by=mira, now=NOW)

        hold(opened, until=IN_A_DAY, because="Legal answers tomorrow.", by=mira, now=NOW)

        opened.refresh_from_db()
        assert (opened.held_by, opened.held_because, opened.claimed_by) == (mira, "Legal answers tomorrow.", None)
        assert queue_counts(user=mira, now=NOW).waiting == 0
        assert queue_counts(user=mira, now=NOW).held == 1

    def test_ends_by_itself(self) -> None:
        opened, mira = case(), person()
        hold(opened, until=IN_A_DAY, because="Legal.", by=mira, now=NOW)

        counts = queue_counts(user=mira, now=IN_A_DAY)

        assert (counts.waiting, counts.held) == (1, 0)
        assert [one.pk for one in get_inbox(mira, now=IN_A_DAY).returned] == [opened.pk]

    @pytest.mark.parametrize(
        ("score", "band", "held"),
        [
            pytest.param(79, "high", True, id="the same band"),
            pytest.param(86, "critical", False, id="a higher band"),
            pytest.param(52, "elevated", True, id="a lower band"),
        ],
    )
    def test_ends_when_the_score_rises_into_a_higher_band(self, score: int, band: str, *, held: bool) -> None:
        opened, mira = case(score=70, band="high"), person()
        hold(opened, until=IN_A_DAY, because="Legal.", by=mira, now=NOW)

        open_or_update_cases([assessment(opened.own_account, score=score, band=band)], due={}, now=NOW)

        assert Case.objects.waiting().held(at=NOW).exists() == held
        assert opened.steps.filter(text__contains="No longer on hold, since it was 70 (high).").exists() != held

    def test_of_a_campaign_ends_when_a_member_rises_into_a_higher_band(self) -> None:
        first, second = account(), account()
        held = campaign_case(first, second, score=70)
        Case.objects.update(band="high")
        hold(held, until=IN_A_DAY, because="Legal.", by=person(), now=NOW)
        assessment(second, score=91)

        update_campaign_cases(now=NOW)

        assert not Case.objects.waiting().held(at=NOW).exists()

    def test_is_in_the_history_and_in_the_log_with_its_reason(self) -> None:
        opened = case()

        hold(opened, until=IN_A_DAY, because="Legal.", by=person(), now=NOW)

        assert opened.steps.get(kind=Step.Kind.HELD).text == "Until 3 Nov 2026, 09:14 UTC. Legal."
        entry = Entry.objects.get(verb="case.held")
        assert entry.details == {"until": IN_A_DAY.isoformat(), "because": "Legal."}

    def test_is_refused_where_a_colleague_has_the_case(self) -> None:
        opened = case()
        claim(opened, by=person("Jonas Lindqvist"), now=NOW)

        with pytest.raises(CaseTakenError, match="Jonas Lindqvist"):
            hold(opened, until=IN_A_DAY, because="Legal.", by=person(), now=NOW)

    def test_is_refused_where_the_case_is_decided(self) -> None:
        opened = case()
        decided(opened)

        with pytest.raises(AlreadyDecidedError):
            hold(opened, until=IN_A_DAY, because="Legal.", by=person(), now=NOW)

    def test_can_be_ended_by_hand_once(self) -> None:
        opened, mira = case(), person()
        hold(opened, until=IN_A_DAY, because="Legal.", by=mira, now=NOW)

        resume(opened, by=mira, now=NOW)
        resume(opened, by=mira, now=NOW)

        assert queue_counts(user=mira, now=NOW).waiting == 1
        assert Entry.objects.filter(verb="case.resumed").count() == 1


class TestAssigning:
    def test_puts_the_case_into_a_colleagues_list_and_inbox(self) -> None:
        opened, jonas = case(), person("Jonas Lindqvist")

        assign(opened, to=jonas, because="You know them.", by=person(), now=NOW)

        assert queue_counts(user=jonas, now=NOW).mine == 1
        [item] = get_inbox(jonas, now=NOW).items
        assert (item.get_kind_display(), item.text) == ("Assigned to you", "You know them.")
        assert Entry.objects.get(verb="case.assigned").details == {"to": str(jonas.pk), "because": "You know them."}

    def test_to_nobody_makes_it_everybodys_again(self) -> None:
        opened, jonas = case(), person("Jonas Lindqvist")
        assign(opened, to=jonas, because="", by=person(), now=NOW)

        assign(opened, to=None, because="", by=jonas, now=NOW)

        assert queue_counts(user=jonas, now=NOW).mine == 0


class TestEscalating:
    def test_asks_every_lead_and_nobody_who_was_shut_out(self) -> None:
        opened, lead, gone = case(), person("Ada Moreau", role=Role.LEAD), person("Old Lead", role=Role.LEAD)
        gone.is_active = False
        gone.save()

        escalate(opened, because="A large customer.", by=person(), now=NOW)

        assert [item.text for item in get_inbox(lead, now=NOW).items] == ["A large customer."]
        assert not get_inbox(gone, now=NOW).items
        assert Entry.objects.get(verb="case.escalated").details == {"because": "A large customer."}

    def test_is_answered_to_the_one_who_asked(self) -> None:
        opened, mira, lead = case(), person(), person("Ada Moreau", role=Role.LEAD)
        escalate(opened, because="May I?", by=mira, now=NOW)

        answer_escalation(opened, answer="Yes, block it.", by=lead, now=NOW)

        opened.refresh_from_db()
        assert opened.escalated_at is None
        assert [item.text for item in get_inbox(mira, now=NOW).items] == ["Yes, block it."]
        assert Entry.objects.get(verb="case.returned").details == {"answer": "Yes, block it."}


@pytest.mark.usefixtures("_at_now")
class TestThePages:
    def test_show_a_held_case_with_who_and_why_on_row_and_case(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "hold/"), {"hours": "24", "because": "Legal answers tomorrow."})

        assert waiting(mira) == []
        row = text(mira.get("/queue/?view=held"))
        page = text(mira.get(address(harbour)))
        for shown in (row, page):
            assert "Legal answers tomorrow." in shown
            assert "by Mira Okafor" in shown

    def test_go_on_to_the_next_case(self, harbour: Case, mira: Client) -> None:
        other = case(account("acct_quill"), score=60)

        response = mira.post(address(harbour, "hold/"), {"hours": "4", "because": "Legal."}, headers=by_htmx("case"))

        assert response["HX-Push-Url"] == address(other)
        assert "acct_harbour is on hold until 2 Nov, 13:14 UTC." in text(response)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"because": ""}, "Enter what you wait for."),
            ({"because": "Legal.", "until": "2026-11-02T09:00"}, "Enter a time in the next 90 days."),
            ({"because": "Legal.", "until": "2027-11-02T09:00"}, "Enter a time in the next 90 days."),
        ],
    )
    def test_refuse_a_hold_without_reason_or_end(
        self, harbour: Case, mira: Client, fields: dict[str, str], said: str
    ) -> None:
        response = mira.post(address(harbour, "hold/"), {"hours": "24"} | fields, headers=by_htmx("case"))

        assert (response.status_code, response["HX-Retarget"]) == (422, "#work")
        assert said in text(response)

    @pytest.mark.parametrize("to", ["Jonas Lindqvist", "jonas lindqvist", "@{handle}", "{email}"])
    def test_assign_to_a_name_an_address_or_a_mention(self, harbour: Case, mira: Client, to: str) -> None:
        jonas = person("Jonas Lindqvist")
        named = to.format(handle=jonas.email.partition("@")[0], email=jonas.email)

        mira.post(address(harbour, "assign/"), {"to": named})

        harbour.refresh_from_db()
        assert harbour.assigned_to == jonas

    @pytest.mark.parametrize("role", [None, Role.AUDITOR])
    def test_assign_to_nobody_who_cannot_work(self, harbour: Case, mira: Client, role: Role | None) -> None:
        if role:
            person("Jonas Lindqvist", role=role)

        response = mira.post(address(harbour, "assign/"), {"to": "Jonas Lindqvist"})

        assert response.status_code == 422
        assert "Enter the name or e-mail address of one colleague" in text(response)

    def test_let_leads_answer_and_nobody_else(self, harbour: Case, mira: Client, jonas: Client) -> None:
        ada = signed_in(person("Ada Moreau", role=Role.LEAD))
        mira.post(address(harbour, "escalate/"), {"because": "May I?"})

        assert jonas.post(address(harbour, "answer/"), {"because": "Yes."}).status_code == 422
        assert "Answer" in text(ada.get(address(harbour)))
        ada.post(address(harbour, "answer/"), {"because": "Yes."})

        harbour.refresh_from_db()
        assert harbour.escalated_at is None

    def test_tell_the_loser_of_a_race_who_won(self, harbour: Case, mira: Client, jonas: Client) -> None:
        jonas.post(address(harbour, "claim/"))

        response = mira.post(address(harbour, "escalate/"), {"because": "May I?"}, headers=by_htmx("case"))

        assert response.status_code == 409
        assert "Jonas Lindqvist is working on this case." in text(response)
