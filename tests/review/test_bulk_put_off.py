"""What a colleague put off after the preview of a decision about many is theirs: it is skipped, with who and why."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest

from accounts.models import Account
from governance.review.campaign_cases import join_and_leave
from governance.review.holding import assign, escalate, hold
from governance.review.models import BulkDecision, Case
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, account, campaign_case, case, person
from tests.review.bulk import as_previewed, carry_on, five_with_cases, started, states
from tests.review.deciding import DISMISS, decide_all, decided
from tests.review.pages import signed_in

pytestmark = pytest.mark.django_db
UNTIL = NOW + timedelta(days=2)


def take(opened: Case, *, by: User, now: datetime) -> None:
    assign(opened, to=by, because="They wrote to me.", by=by, now=now)


PUT_OFF = {
    "held": (partial(hold, until=UNTIL, because="They answer on Friday."), "Put on hold by Jonas Lind since: Until "),
    "escalated": (partial(escalate, because="A licence?"), "Escalated to leads by Jonas Lind since: A licence?"),
    "assigned": (take, "Assigned by Jonas Lind since: To Jonas Lind. They wrote to me."),
}


@pytest.fixture
def five() -> list[Account]:
    return five_with_cases()


@pytest.mark.parametrize("reviewer", ["Mira Okafor", "Jonas Lind"], ids=["by a colleague", "by a namesake"])
@pytest.mark.parametrize(("put_off", "because"), PUT_OFF.values(), ids=PUT_OFF)
def test_an_account_is_skipped_that_was_put_off_since_the_preview(
    five: list[Account], put_off: Callable[..., None], because: str, reviewer: str
) -> None:
    put_off(Case.objects.get(account=five[2]), by=person("Jonas Lind"), now=NOW + timedelta(seconds=1))
    bulk = started(five, by=person(reviewer), at=NOW + timedelta(seconds=2))

    carry_on()

    found = states(bulk)
    state, said = found.pop(five[2].external_id)
    assert state == "skipped"
    assert said.startswith(because)
    assert {state for state, _ in found.values()} == {"decided"}


@pytest.mark.parametrize("put_off", [act for act, _ in PUT_OFF.values()], ids=PUT_OFF)
def test_an_account_is_skipped_that_was_put_off_after_it_was_sent(
    five: list[Account], put_off: Callable[..., None]
) -> None:
    bulk = started(five)
    put_off(Case.objects.get(account=five[2]), by=person("Jonas Lind"), now=NOW)

    carry_on()

    assert states(bulk)[five[2].external_id][0] == "skipped"


@pytest.mark.parametrize("put_off", [act for act, _ in PUT_OFF.values()], ids=PUT_OFF)
def test_an_account_is_decided_about_that_the_preview_showed_as_put_off(
    five: list[Account], put_off: Callable[..., None]
) -> None:
    put_off(Case.objects.get(account=five[2]), by=person("Jonas Lind"), now=NOW - timedelta(hours=1))

    bulk = started(five, by=person("Ada", role=Role.LEAD))
    carry_on()

    assert {state for state, _ in states(bulk).values()} == {"decided"}


def test_nobody_has_seen_what_was_decided_later_whatever_the_form_says(five: list[Account]) -> None:
    bulk = started(five, seen=10**9)
    decided(Case.objects.get(account=five[2]), DISMISS, by=person("Jonas Lind"))

    carry_on()

    assert states(bulk)[five[2].external_id] == ("skipped", "Jonas Lind decided on it since: dismissed.")


@pytest.mark.parametrize("is_sent", [True, False])
def test_an_account_is_skipped_that_a_colleague_left_out_since(*, is_sent: bool) -> None:
    left_out, other = account("acct_left"), account("acct_other")
    case(left_out)
    whole = campaign_case(left_out, other)
    join_and_leave(now=NOW)
    client = signed_in(person("Ben Adler"))
    form = as_previewed(client, [left_out])
    if is_sent:
        client.post("/bulk/decide/", form)

    decide_all(whole, without=[left_out])
    if not is_sent:
        client.post("/bulk/decide/", form)
    carry_on()

    assert not left_out.restrictions.exists()
    [(state, because)] = states(BulkDecision.objects.get()).values()
    assert (state, because.partition(" ")[2]) == ("skipped", "Okafor decided on it since: left out of a decision.")
