"""The pages of decisions about many accounts: decide, follow, undo."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from time_machine import TimeMachineFixture

from accounts.models import Account
from governance.review.actions import claim
from governance.review.bulk.actions import start_undoing_all
from governance.review.bulk.forms import SeenField
from governance.review.models import BulkDecision, Case
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import (
    NOW,
    person,
)
from tests.review.bulk import bulk_form, carry_on, five_with_cases, started
from tests.review.case_work import words
from tests.review.deciding import decided
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


@pytest.fixture
def five() -> list[Account]:
    return five_with_cases()


@pytest.fixture
def user() -> User:
    return person()


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)


class TestDeciding:
    def test_is_stored_for_those_that_are_ticked_still(self, client: Client, five: list[Account], user: User) -> None:
        sent = bulk_form(five) | {"accounts": [one.pk for one in five[:3]]}

        answer = client.post("/bulk/decide/", sent)

        bulk = BulkDecision.objects.get()
        assert answer.headers["Location"] == f"/bulk/{bulk.pk}/"
        assert set(bulk.targets.values_list("account", flat=True)) == {one.pk for one in five[:3]}
        assert (bulk.decided_by, bulk.action, bulk.reason) == (user, "block", "bulk_harvest")

    @pytest.mark.parametrize(
        ("mistake", "complaint"),
        [
            ({"accounts": []}, "Tick at least one account."),
            ({"action": ""}, "Choose an action."),
            ({"against": ""}, "Choose a reason."),
            ({"terms_clause": ""}, "Choose a terms clause."),
            ({"confirmed": ""}, "Tick to confirm."),
            ({"action": "watch", "confirmed": ""}, "Tick to confirm."),
            ({"against": "other"}, "Describe the reason in the note."),
            ({"note": "x" * 4001}, "at most 4000 characters"),
            ({"seen": ""}, "This form is incomplete."),
            ({"seen": "7"}, "This form is incomplete."),
            ({"seen": SeenField.sign(7, NOW) + "a"}, "This form is incomplete."),
        ],
    )
    def test_refuses_what_is_incomplete_and_keeps_what_was_typed(
        self, client: Client, five: list[Account], mistake: dict[str, Any], complaint: str
    ) -> None:
        answer = client.post("/bulk/decide/", bulk_form(five) | {"note": ""} | mistake)

        assert answer.status_code == 422
        assert complaint in text(answer)
        assert not BulkDecision.objects.exists()
        for one in five:
            assert one.external_id in text(answer)

    def test_leaves_alone_what_was_decided_since_the_preview(self, client: Client, five: list[Account]) -> None:
        preview = client.post("/bulk/", {"accounts": [one.pk for one in five]}, follow=True)
        [seen] = re.findall(r'name="seen" value="([^"]+)"', preview.content.decode())
        later = decided(five[0].cases.get())

        client.post("/bulk/decide/", bulk_form(five) | {"seen": seen})

        assert BulkDecision.objects.get().seen < later.number

    def test_refuses_more_than_500_and_says_how_many_to_untick(self, client: Client, five: list[Account]) -> None:
        sent = bulk_form(five) | {"accounts": ",".join(map(str, range(1, 513)))}

        answer = client.post("/bulk/decide/", sent)

        assert answer.status_code == 422
        assert "At most 500 accounts at once. 512 are ticked: untick 12." in text(answer)

    def test_keeps_unticked_what_was_unticked_in_a_form_with_a_mistake(
        self, client: Client, five: list[Account]
    ) -> None:
        sent = bulk_form(five) | {"accounts": [five[0].pk], "confirmed": ""}

        page = client.post("/bulk/decide/", sent).content.decode()

        boxes = {
            one: f'value="{one.pk}" form="bulk-decide" aria-label="Decide about {one.external_id}" ' for one in five
        }
        assert f"{boxes[five[0]]}checked" in page
        assert f"{boxes[five[1]]}checked" not in page
        assert boxes[five[1]] in page

    def test_about_nobody_who_exists_is_refused_and_what_was_typed_is_kept(self, client: Client) -> None:
        sent = bulk_form([]) | {"accounts": "999999998,999999999", "note": "One is a school."}

        answer = client.post("/bulk/decide/", sent)

        assert answer.status_code == 422
        assert text(answer).count("None of the ticked accounts exists.") == 1
        assert "Whom it hits" not in text(answer)
        assert "One is a school." in text(answer)
        assert not BulkDecision.objects.exists()

    @pytest.mark.parametrize("more", [{"scope": "organisation"}, {"unknown": 999999999}])
    def test_sent_twice_leads_twice_to_the_same(
        self, client: Client, five: list[Account], more: dict[str, Any]
    ) -> None:
        sent = bulk_form(five) | more
        if "unknown" in more:
            sent["accounts"] = [*sent["accounts"], more["unknown"]]

        first, second = (client.post("/bulk/decide/", sent, follow=True) for _ in range(2))

        assert first.redirect_chain == second.redirect_chain
        assert "This form was sent before" not in text(second)
        assert BulkDecision.objects.get().targets.count() == 5

    def test_with_another_choice_leads_to_what_was_decided_first(self, client: Client, five: list[Account]) -> None:
        client.post("/bulk/decide/", bulk_form(five))

        page = words(client.post("/bulk/decide/", bulk_form(five[:2]), follow=True))

        assert "This form was sent before, with another choice." in page
        assert BulkDecision.objects.count() == 1


class TestThePage:
    def test_says_what_became_of_each_account_and_why(self, client: Client, five: list[Account]) -> None:
        claim(Case.objects.get(account=five[2]), by=person("Jonas Lind"), now=NOW)
        bulk = started(five)
        waiting = words(client.get(f"/bulk/{bulk.pk}/"))
        carry_on(at=NOW)

        page = words(client.get(f"/bulk/{bulk.pk}/"))

        assert "In progress: 0 of 5" in waiting
        assert 'hx-trigger="every 2s"' in waiting
        assert "Block 5 accounts" in page
        assert "5 of 5: <b>4</b> decided, <b>1</b> skipped." in page
        assert "Jonas Lind is working on this case." in page
        assert 'hx-trigger="every 2s"' not in page

    def test_is_asked_again_for_its_state_alone(self, client: Client, five: list[Account]) -> None:
        bulk = started(five)

        part = text(client.get(f"/bulk/{bulk.pk}/", headers=by_htmx("bulk-state", current=f"/bulk/{bulk.pk}/")))

        assert "<html" not in part
        assert part.count('id="bulk-state"') == 1

    @pytest.mark.parametrize("state", ["waiting", "decided", "being undone", "undone"])
    def test_takes_four_queries(
        self, client: Client, five: list[Account], state: str, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        bulk = started(five)
        if state != "waiting":
            carry_on(at=NOW)
        if "undone" in state:
            start_undoing_all(bulk, note="A course.", by=person(), now=NOW)
        if state == "undone":
            carry_on(at=NOW)

        with django_assert_num_queries(4):  # 1 session, 2 user; 3 decision, 4 accounts
            client.get(f"/bulk/{bulk.pk}/")

    def test_undoes_all_with_a_reason(self, client: Client, five: list[Account]) -> None:
        bulk = started(five)
        carry_on(at=NOW)

        assert client.post(f"/bulk/{bulk.pk}/undo/", {"note": ""}).status_code == 422
        page = words(client.post(f"/bulk/{bulk.pk}/undo/", {"note": "A course."}, follow=True))
        carry_on(at=NOW)
        after = words(client.get(f"/bulk/{bulk.pk}/"))

        assert "In progress: 0 of 5 reached" in page
        assert '<h2 id="state-title">Being undone</h2>' in page
        assert "Undo started" in page
        assert '<h2 id="state-title">Undone</h2>' in after
        assert "5 of 5 reached: <b>5</b> undone." in after
        assert "Undo all" not in after

    def test_says_that_it_is_too_late(
        self, client: Client, five: list[Account], user: User, time_machine: TimeMachineFixture
    ) -> None:
        bulk = started(five)
        carry_on(at=NOW)
        time_machine.move_to(NOW + timedelta(minutes=settings.UNDO_MINUTES + 1), tick=False)
        later = signed_in(user)

        answer = later.post(f"/bulk/{bulk.pk}/undo/", {"note": "A course."})

        assert answer.status_code == 409
        assert "It is too late to undo all." in text(answer)
        assert "Undo all decisions" not in text(answer)

    def test_can_be_read_but_not_undone_by_an_auditor(self, five: list[Account]) -> None:
        bulk, auditor = started(five), signed_in(person(role=Role.AUDITOR))

        assert "Undo all" not in text(auditor.get(f"/bulk/{bulk.pk}/"))
        assert auditor.post(f"/bulk/{bulk.pk}/undo/", {"note": "No."}).status_code == 403


class TestTheHistoryOfACase:
    def test_says_with_how_many_others_it_was_decided(self, client: Client, five: list[Account]) -> None:
        claim(Case.objects.get(account=five[2]), by=person("Jonas Lind"), now=NOW)
        bulk = started(five)
        carry_on()

        page = words(client.get(address(Case.objects.get(account=five[0]))))

        assert f'<a href="/bulk/{bulk.pk}/">with 3 others</a>' in page

    def test_says_nothing_of_others_where_it_was_decided_alone(self, client: Client, five: list[Account]) -> None:
        own = Case.objects.get(account=five[0])
        client.post(address(own, "decide/"), bulk_form(five) | {"decision": str(uuid.uuid4())})

        assert "/bulk/" not in text(client.get(address(own)))
