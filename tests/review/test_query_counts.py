"""No page takes more than twelve queries, whatever state its case is in, and however many views somebody has saved."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.campaigns.models import CampaignMember
from governance.restrictions.models import Restriction
from governance.review.models import Case, SavedView
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, account, case, person
from tests.review.campaign_pages import chosen, page
from tests.review.deciding import decide_all, decided
from tests.review.pages import address, block_form, by_htmx, signed_in, text
from tests.review.states_of_a_case import CLOSED, CLOSED_CAMPAIGN, OPEN, OPEN_CAMPAIGN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]

MOST: Final = 12
TRANSACTION: Final = re.compile(r"(ROLLBACK TO|RELEASE) SAVEPOINT")
# Forms that are refused when nothing is filled in.
FORMS: Final = ("decide", "hold", "escalate", "answer", "skip", "undo", "note", "excerpts")
CAMPAIGN_FORMS: Final = ("hold", "escalate", "skip", "undo", "note", "campaign/preview", "campaign/decide")


@contextmanager
def few_queries(*, after_transaction: bool = False) -> Iterator[None]:
    """At most twelve; without those of a transaction and before it, whose locks and savepoints are the price of the
    deed and not of its page.
    """
    with CaptureQueriesContext(connection) as captured:
        yield
    queries = [query["sql"] for query in captured]
    if after_transaction:
        ends = [place for place, sql in enumerate(queries) if TRANSACTION.match(sql)]
        assert ends, "nothing was done in a transaction"
        queries = queries[ends[-1] + 1 :]
    assert len(queries) <= MOST, "\n".join([f"{len(queries)} queries:", *(sql[:300] for sql in queries)])


@pytest.fixture
def user() -> User:
    """Who may decide about what is escalated as well."""
    return person("Mira Okafor", role=Role.LEAD)


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)


def free(opened: Case) -> Case:
    """The same, claimed by nobody."""
    Case.objects.filter(pk=opened.pk).update(claimed_by=None, claimed_until=None)
    return Case.objects.get(pk=opened.pk)


class TestACase:
    # 1 session, 2 user, 3 case with account, people, assessment, keys, licences, excerpts and campaign, 4 decisions,
    # 5 restrictions, 6 campaign, 7 linked accounts, 8 usage, 9 reasons to choose from, 10 gateways, 11 restrictions at
    # these, 12 history

    @pytest.mark.parametrize("state", OPEN.values(), ids=OPEN)
    def test_that_is_open_is_shown(self, state: Callable[[], Case], client: Client) -> None:
        opened = free(state())

        with few_queries():
            response = client.get(address(opened))

        assert '<h2 id="decide-title">Decide</h2>' in text(response)

    @pytest.mark.parametrize("state", CLOSED.values(), ids=CLOSED)
    def test_that_is_closed_is_shown(self, state: Callable[[], Case], client: Client) -> None:
        closed = state()

        with few_queries():
            response = client.get(address(closed))

        assert 'id="decide-title" class="decided"' in text(response)

    @pytest.mark.parametrize("state", [*OPEN.values(), *CLOSED.values()], ids=[*OPEN, *CLOSED])
    def test_is_shown_again_with_a_form_that_is_refused(self, state: Callable[[], Case], client: Client) -> None:
        about = free(state())
        live = Restriction.objects.against(about.own_account).filter(ended_at=None).latest("number")

        for form in (*FORMS, f"restrictions/{live.number}/lift"):
            with few_queries():
                response = client.post(address(about, f"{form}/"))
            assert response.status_code == 422

    @pytest.mark.parametrize("state", OPEN.values(), ids=OPEN)
    def test_is_shown_to_who_was_too_late(self, state: Callable[[], Case], client: Client) -> None:
        decided(opened := free(state()), by=person("Ada Moreau", role=Role.LEAD))

        with few_queries(after_transaction=True):
            response = client.post(address(opened, "decide/"), block_form())

        assert response.status_code == 409


class TestTheCaseOfACampaign:
    # 1 session, 2 user, 3 case with its campaign, 4 earlier decisions on the members, 5 members, 6 their assessments,
    # 7 restrictions on them, 8 usage by day, 9 shared traits, 10 decisions, 11 reasons to choose from, or what of the
    # decision is in force, 12 history

    @pytest.mark.parametrize(
        "state", [*OPEN_CAMPAIGN.values(), *CLOSED_CAMPAIGN.values()], ids=[*OPEN_CAMPAIGN, *CLOSED_CAMPAIGN]
    )
    def test_is_shown(self, state: Callable[[], Case], client: Client) -> None:
        about = state()

        with few_queries():
            response = client.get(page(about, f"?case={about.pk}"))

        assert response.status_code == 200

    @pytest.mark.parametrize("state", OPEN_CAMPAIGN.values(), ids=OPEN_CAMPAIGN)
    def test_is_shown_again_with_a_form_that_is_refused(self, state: Callable[[], Case], client: Client) -> None:
        opened = state()

        for form in (*(address(opened, f"{form}/") for form in CAMPAIGN_FORMS), f"{page(opened)}split/"):
            with few_queries():
                response = client.post(form)
            assert response.status_code == 422

    @pytest.mark.parametrize(("where", "status"), [("preview", 200), ("decide", 422)])
    def test_is_decided_after_a_preview(self, where: str, status: int, client: Client) -> None:
        opened = OPEN_CAMPAIGN["undone"]()
        form = self.of_three(opened)
        del form["confirmed"]

        with few_queries():
            response = client.post(address(opened, f"campaign/{where}/"), form)

        assert response.status_code == status
        assert "acct_1" in text(response)

    def test_is_shown_to_who_was_too_late(self, client: Client) -> None:
        opened = OPEN_CAMPAIGN["undone"]()
        form = self.of_three(opened)
        decide_all(opened)

        with few_queries(after_transaction=True):
            response = client.post(address(opened, "campaign/decide/"), form)

        assert response.status_code == 409

    def of_three(self, opened: Case) -> dict[str, Any]:
        members = CampaignMember.objects.filter(campaign=opened.campaign_id).select_related("account").order_by("pk")
        return chosen(opened, [one.account for one in members[:3]], left_out_because="A school.")


class TestSavedViews:
    QUERIES: Final = ("", "view=decided", "view=mine", "view=held", "q=harbour", "due=overdue", "policy=restricted")

    @pytest.fixture
    def _thirty_views(self, user: User) -> None:
        SavedView.objects.bulk_create(
            SavedView(owner=user, name=f"View {number}", query=self.QUERIES[number % 7], created_at=NOW)
            for number in range(30)
        )

    @pytest.mark.usefixtures("_thirty_views")
    def test_are_all_counted_at_once(self, client: Client) -> None:
        case(account("acct_harbour", organisation="org_harbour_lights"), due_in=-1)
        case(account("acct_cove", organisation="org_harbour_lights"))
        case(account("harbour_1"))
        case(account("acct_dune"))

        # session, user, views, counts
        with few_queries():
            shown = text(client.get("/queue/", headers=by_htmx("views")))

        sizes = re.findall(r'<b class="view-size">(\S+)</b>', shown)
        by_query = dict(zip([self.QUERIES[number % 7] for number in self.in_order()], sizes, strict=True))
        assert by_query == {
            "": "4",
            "view=decided": "0",
            "view=mine": "0",
            "view=held": "0",
            "q=harbour": "3",
            "due=overdue": "1",
            "policy=restricted": "0",
        }

    @pytest.mark.usefixtures("_thirty_views")
    def test_are_counted_at_once_when_one_is_saved(self, client: Client) -> None:
        with few_queries(after_transaction=True):
            response = client.post(
                "/queue/views/save/", {"name": "View 3", "query": "band=high"}, headers=by_htmx("views")
            )

        assert response.status_code == 200

    def in_order(self) -> list[int]:
        """The numbers of the views in the order of their names."""
        return sorted(range(30), key=lambda number: f"View {number}")
