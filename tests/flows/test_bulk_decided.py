"""Five of seven accounts are blocked at once, one of them claimed by somebody else: from the page to the gateway."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.restrictions.models import Restriction
from governance.restrictions.queries import last_number
from governance.review.actions import claim
from governance.review.bulk.unfinished import apply_bulk_decisions
from governance.review.models import BulkDecision, Case, Decision
from governance.staff.models import User
from tests.factories import account, case, person
from tests.flows.worker import kill, running_worker
from tests.front import Served, served
from tests.review.bulk import NAMES, bulk_form, states
from tests.review.pages import address, signed_in, text
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TICKED = NAMES[:5]
CLAIMED = "acct_fen"
MANY = 60


@pytest.fixture
def jonas() -> User:
    return person("Jonas Lind")


@pytest.fixture
def client(jonas: User) -> Client:
    """Of Mira, who signs in after both have been added."""
    return signed_in(person())


@pytest.fixture
def front() -> Iterator[Served]:
    with served() as running:
        assert running.front.replica.wait_until_loaded(PATIENCE)
        yield running


def refused(front: Served) -> set[str]:
    assert front.knows(last_number())
    return {name for name in NAMES if front.check(account=name)["decision"] == "deny"}


def block(client: Client, accounts: list[Account]) -> BulkDecision:
    """Tick in the queue, look at the preview, and decide there."""
    looked = client.post("/bulk/", {"accounts": [one.pk for one in accounts]}, follow=True)
    seen = looked.context["preview"].seen
    client.post("/bulk/decide/", bulk_form(accounts, seen=seen))
    return BulkDecision.objects.get()


def test_four_are_refused_one_is_skipped_with_its_reason_and_one_undo_lets_all_in(
    client: Client, jonas: User, front: Served
) -> None:
    accounts = [case(account(name)).own_account for name in NAMES]
    claim(Case.objects.get(account__external_id=CLAIMED), by=jonas, now=timezone.now())

    bulk = block(client, accounts[:5])
    apply_bulk_decisions(clock=timezone.now)

    assert refused(front) == set(TICKED) - {CLAIMED}
    found = states(bulk)
    assert found.pop(CLAIMED) == ("skipped", "Jonas Lind is working on this case.")
    assert set(found.values()) == {("decided", "")}
    own = Case.objects.get(account=accounts[0])
    assert "with 3 others" in text(client.get(address(own)))

    client.post(f"/bulk/{bulk.pk}/undo/", {"note": "It is a course."})
    apply_bulk_decisions(clock=timezone.now)

    assert refused(front) == set()
    assert Case.objects.waiting().count() == len(NAMES)
    assert not any(iter_chain_checks())


@pytest.mark.long
def test_a_killed_worker_loses_nothing_and_the_next_one_makes_nothing_twice(client: Client, tmp_path: Path) -> None:
    accounts = [case(account(f"acct_many_{number:02}")).own_account for number in range(MANY)]

    with running_worker(timetable=tmp_path / "first") as worker:
        block(client, accounts)
        wait_until(lambda: Decision.objects.count() > 5, "some are decided")
        kill(worker)
    assert worker.returncode == -signal.SIGKILL
    half = Decision.objects.count()
    with running_worker(timetable=tmp_path / "second"):
        wait_until(lambda: not BulkDecision.objects.unfinished().exists(), "all are decided")

    assert half < MANY
    assert Decision.objects.count() == Restriction.objects.filter(ended_at=None).count() == MANY
    assert Entry.objects.filter(verb="case.decided").count() == MANY
    assert not any(iter_chain_checks())
