"""Everything in force, on one page: found by any name it touches, and lifted there, whether or not there is a case."""

from http import HTTPStatus

import pytest

from accounts.models import Account, Organisation
from governance.audit.models import Entry
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import Reason
from governance.review.models import Step
from governance.staff.roles import Role
from tests.factories import account, api_key, case, person, restriction
from tests.review.pages import address, signed_in, text

pytestmark = pytest.mark.django_db
LIST = "/restrictions/"


@pytest.fixture
def quay() -> Account:
    """An account without a case: itself, a key of its and its organisation are restricted."""
    one = account("acct_quay", organisation="org_quay")
    restriction(one, Restriction.Kind.WATCH)
    restriction(api_key(one, "key_quay"), Restriction.Kind.THROTTLE, requests_per_minute=5)
    restriction(Organisation.objects.get(), Restriction.Kind.SUSPEND)
    return one


def listed(role: Role = Role.LEAD, query: str = "") -> str:
    return text(signed_in(person(role=role)).get(LIST + query))


class TestTheList:
    def test_has_all_that_is_in_force_and_nothing_that_ended(self, quay: Account) -> None:
        ended = restriction(account("acct_free"))
        signed_in(person(role=Role.LEAD)).post(f"{LIST}{ended.number}/lift/", {"note": "A slip."})

        shown = listed(query="?q=")

        assert [f"No. {number}," in shown for number in (1, 2, 3)] == [True] * 3
        assert f"No. {ended.number}, " not in shown.partition("is lifted")[2]

    def test_mentions_no_note_where_a_restriction_has_none(self) -> None:
        restriction(account("acct_quay"), reason=Reason.OTHER)

        assert "Another reason." in listed()
        assert "see the note" not in listed()

    @pytest.mark.parametrize("name", ["acct_quay", "key_quay", "org_quay", "QUAY"])
    def test_is_searched_by_any_name(self, quay: Account, name: str) -> None:
        restriction(account("acct_other"))

        shown = listed(query=f"?q={name}")

        assert "acct_other" not in shown
        assert name.lower() in shown

    def test_finds_by_an_account_what_is_on_its_keys_and_its_organisation(self, quay: Account) -> None:
        shown = listed(query="?q=acct_quay")

        assert all(name in shown for name in ("acct_quay", "key_quay", "org_quay"))

    def test_leads_to_the_case_where_there_is_one(self) -> None:
        opened = case()
        restriction(opened.own_account)

        page = signed_in(person(role=Role.LEAD)).get(LIST)

        assert address(opened) in page.content.decode()

    def test_goes_on_a_page_later(self) -> None:
        for number in range(51):
            restriction(account(f"acct_{number:02}"))

        first, second = listed(), listed(query="?before=2")

        assert ("acct_50" in first, "acct_00" in first) == (True, False)
        assert ("acct_50" in second, "acct_00" in second) == (False, True)

    @pytest.mark.parametrize("query", ["?before=x", "?before=0", f"?before={2**70}"])
    def test_refuses_an_address_that_is_misspelt(self, query: str) -> None:
        page = signed_in(person(role=Role.LEAD)).get(LIST + query)

        assert page.status_code == HTTPStatus.FOUND


class TestLifting:
    def test_ends_a_restriction_that_has_no_case(self, quay: Account) -> None:
        suspended = Restriction.objects.get(kind=Restriction.Kind.SUSPEND)
        page = signed_in(person(role=Role.LEAD)).post(
            f"{LIST}{suspended.number}/lift/?q=quay", {"note": "They called."}
        )

        suspended.refresh_from_db()
        assert page["Location"] == f"{LIST}?q=quay"
        assert (suspended.ending, suspended.ending_note) == (Restriction.Ending.LIFTED, "They called.")
        assert Entry.objects.filter(verb="restriction.lifted").count() == 1

    def test_is_told_in_the_history_of_the_case(self) -> None:
        opened = case()
        made = restriction(opened.own_account)

        signed_in(person(role=Role.LEAD)).post(f"{LIST}{made.number}/lift/", {"note": "They called."})

        assert Step.objects.get(kind=Step.Kind.LIFTED).case == opened

    def test_needs_a_reason_and_keeps_what_was_typed(self, quay: Account) -> None:
        page = signed_in(person(role=Role.LEAD)).post(f"{LIST}1/lift/", {"note": "a" * 501})

        assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "a" * 501 in page.content.decode()
        assert Restriction.objects.filter(ended_at=None).count() == 3

    def test_again_says_that_it_had_ended(self, quay: Account) -> None:
        lead = signed_in(person(role=Role.LEAD))
        for _ in range(2):
            page = lead.post(f"{LIST}1/lift/", {"note": "They called."}, follow=True)

        assert "had already ended" in text(page)

    def test_is_refused_to_somebody_who_may_only_look(self, quay: Account) -> None:
        auditor = signed_in(person(role=Role.AUDITOR))

        assert "Remove restriction" not in listed(Role.AUDITOR)
        assert auditor.post(f"{LIST}1/lift/", {"note": "x"}).status_code == HTTPStatus.FORBIDDEN
        assert Restriction.objects.filter(ended_at=None).count() == 3
