"""A page of a list goes on where the one before ended, whatever has become of the row that was its last."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from django.core import signing
from django.test import Client
from time_machine import TimeMachineFixture

from accounts.models import Account
from governance.campaigns.models import Campaign
from governance.detection.models import AccountScore
from governance.review.models import Case
from governance.staff.roles import Role
from tests.factories import NOW, account, assessment, case, person
from tests.review.pages import signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


@pytest.fixture
def _at_now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def client() -> Client:
    return signed_in(person("Jonas Lindqvist", role=Role.LEAD))


def six_cases() -> None:
    for number in range(6):
        case(account(f"acct_{number}"), score=90 - number // 2, due_in=4 + number)


def six_decided() -> None:
    six_cases()
    for number, one in enumerate(Case.objects.order_by("account__external_id")):
        Case.objects.filter(pk=one.pk).update(status=Case.Status.DECIDED, closed_at=NOW - timedelta(minutes=number))


def six_held() -> None:
    six_cases()
    for number, one in enumerate(Case.objects.order_by("account__external_id")):
        Case.objects.filter(pk=one.pk).update(held_until=NOW + timedelta(hours=1 + number), held_by=person())


def six_accounts() -> None:
    for number in range(6):
        assessment(account(f"acct_{number}", organisation="org_quay"), score=90 - number // 2)


def six_campaigns() -> None:
    Campaign.objects.bulk_create(
        Campaign(state="open", first_seen_at=NOW, score=30 - number // 2, size=20 - number) for number in range(6)
    )


def take_case_away(last: Case) -> None:
    Case.objects.filter(pk=last.pk).update(
        score=1, status=Case.Status.DECIDED, closed_at=NOW - timedelta(days=9), due_at=NOW + timedelta(days=9)
    )


def reopen_case(last: Case) -> None:
    Case.objects.filter(pk=last.pk).update(status=Case.Status.OPEN, closed_at=None, held_until=None, held_by=None)


def rescore_account(last: Account) -> None:
    AccountScore.objects.filter(account=last).update(score=1)


def delete_account(last: Account) -> None:
    AccountScore.objects.filter(account=last).delete()
    last.assessments.all().delete()
    Account.objects.filter(pk=last.pk).delete()


def delete(last: Case | Campaign) -> None:
    last.delete()


def drop_score(last: Campaign) -> None:
    Campaign.objects.filter(pk=last.pk).update(score=1)


LISTS: Final[Mapping[str, tuple[str, Callable[[], None], str]]] = {
    "queue": ("/queue/?x", six_cases, "governance.review.queries.PAGE"),
    "queue by due date": ("/queue/?sort=due", six_cases, "governance.review.queries.PAGE"),
    "queue, newest first": ("/queue/?sort=newest", six_cases, "governance.review.queries.PAGE"),
    "held": ("/queue/?view=held", six_held, "governance.review.queries.PAGE"),
    "decided": ("/queue/?view=decided", six_decided, "governance.review.queries.PAGE"),
    "cases behind a figure": ("/overview/cases/?band=critical", six_cases, "governance.overview.case_list.PAGE"),
    "cases of a day": ("/overview/cases/?decided=2026-11-02", six_decided, "governance.overview.case_list.PAGE"),
    "accounts": ("/accounts/?x", six_accounts, "governance.investigation.account_list.PAGE"),
    "newest accounts": ("/accounts/?sort=newest", six_accounts, "governance.investigation.account_list.PAGE"),
    "accounts by id": ("/accounts/?sort=id", six_accounts, "governance.investigation.account_list.PAGE"),
    "organisation": ("/organisations/org_quay/?x", six_accounts, "governance.investigation.account_list.PAGE"),
    "campaigns": ("/campaigns/?x", six_campaigns, "governance.review.campaigns.queries.PAGE"),
    "search": ("/search/?q=acct&kind=accounts", six_accounts, "governance.investigation.search.PAGE"),
}
FATES: Final[Mapping[type[Any], Mapping[str, Callable[[Any], None]]]] = {
    Case: {"moved": take_case_away, "reopened": reopen_case, "gone": delete},
    Account: {"moved": rescore_account, "gone": delete_account},
    Campaign: {"moved": drop_score, "gone": delete},
}


def page_of(client: Client, address: str) -> tuple[list[Any], Any]:
    """The rows of a page, each the case, account or campaign itself, and where the next page begins."""
    context = client.get(address).context
    page = context["results"].groups[0] if "results" in context else context["page"]
    rows = page.cases if hasattr(page, "cases") else page.rows
    whole = [next((getattr(row, name) for name in ("case", "item") if hasattr(row, name)), row) for row in rows]
    if "/campaigns/" in address:
        whole = [row.campaign for row in rows]
    return whole, page.next_after


@pytest.mark.parametrize("fate", ["moved", "reopened", "gone"])
@pytest.mark.parametrize(("address", "make", "size"), LISTS.values(), ids=LISTS)
def test_the_next_page_shows_the_same_rows_though_the_last_one_has_gone(
    client: Client, monkeypatch: pytest.MonkeyPatch, address: str, make: Callable[[], None], size: str, fate: str
) -> None:
    monkeypatch.setattr(size, 3)
    make()
    first, next_after = page_of(client, address)
    rest, _ = page_of(client, f"{address}&after={next_after}")

    FATES[type(first[-1])].get(fate, lambda _: None)(first[-1])
    after_that, _ = page_of(client, f"{address}&after={next_after}")

    assert len({one.pk for one in [*first, *rest]}) == 6
    assert [one.pk for one in rest] == [one.pk for one in after_that if one.pk != first[-1].pk]


@pytest.mark.parametrize("address", ["/queue/", "/accounts/", "/campaigns/", "/overview/cases/", "/search/?q=acct"])
@pytest.mark.parametrize(
    "after", ["x", "00000000-0000-4000-8000-000000000000", signing.dumps([["pk"], [1]])], ids=["text", "id", "other"]
)
def test_a_place_that_no_list_gave_is_refused(client: Client, address: str, after: str) -> None:
    response = client.get(address, {"after": after, "q": "acct"} if "search" in address else {"after": after})

    assert response.status_code == 400
    assert "Go back to its first page" in text(response)


def test_a_place_in_another_order_begins_with_the_first_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.review.queries.PAGE", 3)
    six_cases()
    first, _ = page_of(client, "/queue/?sort=due")
    _, by_score = page_of(client, "/queue/?x")

    assert page_of(client, f"/queue/?sort=due&after={by_score}")[0] == first
