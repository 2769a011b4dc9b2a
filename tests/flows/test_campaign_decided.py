"""A campaign of 24, two of them left out: gateways refuse 22 and let 2 in, and all once the decision is undone."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Account
from governance.audit.queries import iter_chain_checks
from governance.restrictions.queries import last_number
from governance.review.actions import decide
from governance.review.campaign_cases import join_and_leave, update_campaign_cases
from governance.review.models import Case
from governance.review.undo import undo_decision
from governance.staff.models import User
from stillwatch_gateway import Gateway
from tests.factories import account, assessment, campaign_of, case, person, ticks
from tests.front import Served, served
from tests.review.deciding import BLOCK_CAMPAIGN
from tests.review.pages import address, by_htmx, signed_in, text
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = [f"acct_{number:02}" for number in range(24)]
LEFT_OUT = {"acct_07", "acct_19"}


@pytest.fixture
def mira() -> User:
    return person()


@pytest.fixture
def front() -> Iterator[Served]:
    with served() as running:
        assert running.front.replica.wait_until_loaded(PATIENCE)
        yield running


@pytest.fixture
def gateway(front: Served, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that keeps the restrictions in memory."""
    one = Gateway(front.url, front.secret, tmp_path / "kept", instance="a")
    one.start(PATIENCE)
    yield one
    one.close()


def refused_by_check(front: Served) -> set[str]:
    assert front.knows(last_number())
    return {name for name in NAMES if front.check(account=name)["decision"] == "deny"}


def refused_by_gateway(gateway: Gateway) -> set[str]:
    return {name for name in NAMES if not gateway.decide(account=name).allowed}


def at_the_gateways(own: Case, by: User) -> str:
    """What the page of the campaign says of them, a second later if need be."""
    return text(signed_in(by).get(address(own), follow=True, headers=by_htmx("gateways")))


def test_it_is_decided_for_those_ticked_and_undone_for_all(mira: User, front: Served, gateway: Gateway) -> None:
    accounts = [account(name) for name in NAMES]
    for one in accounts:
        assessment(one)
    campaign_of(*accounts)
    parts = [case(one) for one in accounts[:20]]
    update_campaign_cases(now=timezone.now())
    join_and_leave(now=timezone.now())
    own = Case.objects.waiting().get()

    chosen = ticks(own, without=Account.objects.filter(external_id__in=LEFT_OUT), because="Both are schools.")
    decide(own, BLOCK_CAMPAIGN, decision_id=uuid.uuid4(), by=mira, now=timezone.now(), ticks=chosen)

    assert refused_by_check(front) == set(NAMES) - LEFT_OUT
    wait_until(lambda: refused_by_gateway(gateway) == set(NAMES) - LEFT_OUT, "the gateway refuses 22")
    wait_until(lambda: "22 of 22 in force at <b>litellm</b>" in at_the_gateways(own, mira), "the page says so")
    assert {one.own_account.external_id for one in Case.objects.waiting()} == LEFT_OUT

    undo_decision(own, note="It is a course.", by=mira, now=timezone.now())
    join_and_leave(now=timezone.now())

    assert refused_by_check(front) == set()
    wait_until(lambda: refused_by_gateway(gateway) == set(), "the gateway lets all in")
    wait_until(lambda: "22 of 22 lifted at <b>litellm</b>" in at_the_gateways(own, mira), "the page says so")
    assert list(Case.objects.waiting()) == [own]
    assert own.parts.count() == len(parts)
    assert not any(iter_chain_checks())
