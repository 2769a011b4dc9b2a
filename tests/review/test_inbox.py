"""Mentions, the inbox, and who has a case open."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from time_machine import TimeMachineFixture

from governance.review.holding import assign, hold
from governance.review.inbox import add_note_with_mentions, count_inbox, get_inbox
from governance.review.inbox_items import notify
from governance.review.mentions import mentioned_handles
from governance.review.models import VIEWING, Case, CaseViewer, InboxItem
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, case, person
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = pytest.mark.django_db


def handle(user: User) -> str:
    return user.email.partition("@")[0]


class TestAMention:
    def test_is_no_e_mail_address(self) -> None:
        assert mentioned_handles("Wrote to ops@example.com; @mira, see (@jonas.l). @Mira!") == ["mira", "jonas.l"]

    def test_puts_the_note_into_the_inbox_of_the_colleague(self, harbour: Case) -> None:
        mira, jonas = person(), person("Jonas Lindqvist")

        told = add_note_with_mentions(harbour, text=f"@{handle(jonas)} please look.", by=mira, now=NOW)

        assert told == ([jonas], [])
        [item] = get_inbox(jonas, now=NOW).items
        assert (item.case, item.by, item.text) == (harbour, mira, f"@{handle(jonas)} please look.")

    def test_of_oneself_of_a_stranger_or_of_an_auditor_tells_nobody(self, harbour: Case) -> None:
        mira, auditor = person(), person("Olu Auditor", role=Role.AUDITOR)

        told = add_note_with_mentions(harbour, text=f"@{handle(mira)} @nobody @{handle(auditor)}", by=mira, now=NOW)

        assert told == ([], ["nobody", handle(auditor)])

    def test_that_is_nobodys_is_said(self, harbour: Case) -> None:
        page = signed_in(person()).post(f"/cases/{harbour.pk}/note/", {"text": "@jo please look"}, follow=True)

        assert "No colleague is called @jo, so nobody was told." in text(page)

    def test_that_is_sent_twice_tells_once(self, harbour: Case) -> None:
        mira, jonas = person(), person("Jonas Lindqvist")
        for seconds in (0, 5):
            at = NOW + timedelta(seconds=seconds)
            add_note_with_mentions(harbour, text=f"@{handle(jonas)} look.", by=mira, now=at)

        assert len(get_inbox(jonas, now=NOW).items) == 1

    def test_is_confirmed_by_name(self, harbour: Case, mira: Client) -> None:
        jonas = person("Jonas Lindqvist")

        page = mira.post(address(harbour, "note/"), {"text": f"@{handle(jonas)} look."}, follow=True)

        assert "Note added. It is in the inbox of Jonas Lindqvist." in text(page)


@pytest.mark.usefixtures("_at_now")
class TestTheInbox:
    def test_counts_what_is_new_and_what_is_back_from_hold(self, harbour: Case) -> None:
        mira, jonas = person(), person("Jonas Lindqvist")
        add_note_with_mentions(harbour, text=f"@{handle(jonas)} look.", by=mira, now=NOW)
        hold(case(), until=NOW + timedelta(hours=1), because="Legal.", by=jonas, now=NOW)

        assert count_inbox(jonas, now=NOW) == 1
        assert count_inbox(jonas, now=NOW + timedelta(hours=1)) == 2

    def test_is_read_by_its_owner_alone(self, harbour: Case, mira: Client) -> None:
        jonas = person("Jonas Lindqvist")
        mira.post(address(harbour, "note/"), {"text": f"@{handle(jonas)} look."})
        [item] = get_inbox(jonas, now=NOW).items

        mira.post("/inbox/read/", {"item": str(item.pk)})
        assert count_inbox(jonas, now=NOW) == 1
        signed_in(jonas).post("/inbox/read/", {"item": str(item.pk)})
        assert count_inbox(jonas, now=NOW) == 0

    @pytest.mark.parametrize("item", ["", "x", "²", "9" * 30, "9" * 5_000])
    def test_ignores_what_is_no_item(self, mira: Client, item: str) -> None:
        assert mira.post("/inbox/read/", {"item": item}).status_code == 302

    def test_pages_through_all_items_and_marks_all_of_them_as_read(self, harbour: Case) -> None:
        jonas = person("Jonas Lindqvist")
        mira = person()
        for n in range(60):
            notify(
                [jonas], harbour, InboxItem.Kind.MENTIONED, text=f"Note {n}.", by=mira, now=NOW + timedelta(seconds=n)
            )
        client = signed_in(jonas)

        newest = client.get("/inbox/").context["inbox"]
        older = client.get("/inbox/", {"after": str(newest.next_after)}).context["inbox"]
        client.post("/inbox/read/", {"newest": newest.newest})

        assert (len(newest.items), len(older.items), older.next_after) == (50, 10, None)
        assert count_inbox(jonas, now=NOW) == 0

    def test_is_read_about_a_case_that_its_owner_has_open(self, harbour: Case) -> None:
        jonas = person("Jonas Lindqvist")
        notify([jonas], harbour, InboxItem.Kind.MENTIONED, text="Look.", by=person(), now=NOW)

        signed_in(jonas).get(address(harbour, "viewers/"), {"shown": NOW.isoformat()})

        assert count_inbox(jonas, now=NOW) == 0

    def test_does_not_name_a_case_back_from_hold_that_is_somebody_elses_now(self, harbour: Case) -> None:
        mira, ada, later = person(), person("Ada Moreau"), NOW + timedelta(hours=5)
        hold(harbour, until=NOW + timedelta(hours=4), because="Legal.", by=mira, now=NOW)

        assign(harbour, to=ada, because="Yours.", by=mira, now=later)

        assert count_inbox(mira, now=later) == 0

    def test_costs_few_queries(self, harbour: Case, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        jonas = person("Jonas Lindqvist")
        add_note_with_mentions(harbour, text=f"@{handle(jonas)} look.", by=person(), now=NOW)
        client = signed_in(jonas)

        # 1 session, 2 user, 3 items with case, account and author, 4 cases that are back from hold
        with django_assert_num_queries(4):
            client.get("/inbox/")

        # 1 session, 2 user, 3 new items, 4 cases that are back from hold
        with django_assert_num_queries(4):
            client.get("/inbox/", headers=by_htmx("inbox-count"))


@pytest.mark.usefixtures("_at_now")
class TestViewersOfACase:
    def test_are_named_to_others_while_their_page_is_open(
        self, harbour: Case, mira: Client, jonas: Client, time_machine: TimeMachineFixture
    ) -> None:
        assert "open" not in text(jonas.get(address(harbour, "viewers/")))

        assert "Jonas Lindqvist has this open" in text(mira.get(address(harbour, "viewers/")))
        time_machine.move_to(NOW + VIEWING)
        assert "Jonas Lindqvist" not in text(mira.get(address(harbour, "viewers/")))

    def test_are_kept_as_one_row_each(self, harbour: Case, mira: Client) -> None:
        for _ in range(3):
            mira.get(address(harbour, "viewers/"))

        assert CaseViewer.objects.count() == 1

    def test_keep_their_claim_while_they_are_at_work(
        self, harbour: Case, mira: Client, time_machine: TimeMachineFixture
    ) -> None:
        mira.post(address(harbour, "claim/"))
        time_machine.move_to(NOW + timedelta(minutes=20))

        mira.get(address(harbour, "viewers/"))
        harbour.refresh_from_db()
        assert harbour.claimed_until == NOW + timedelta(minutes=30)
        mira.get(address(harbour, "viewers/?active=1"))
        harbour.refresh_from_db()
        assert harbour.claimed_until == NOW + timedelta(minutes=50)
