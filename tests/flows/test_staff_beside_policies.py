"""What a person does while a policy restricts has the last word, whichever of the two comes first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance import tasks
from governance.audit.actions import audit_log_lock
from governance.restrictions.models import Restriction
from governance.review.models import Case
from tests.campaigns.traffic import HEADS, harvest_lines
from tests.factories import restriction
from tests.flows.policies import (
    BLOCK,
    ada,
    answers,
    gateway,
    go_live,
    jonas,
    locks_waited_for,
    plan_earlier,
    propose,
    use,
)
from tests.front import Served
from tests.review.pages import block_form
from tests.waiting import wait_until

__all__ = ["ada", "gateway", "jonas"]
pytestmark = pytest.mark.django_db(transaction=True)

LET_GO, OTHER = HEADS[0], HEADS[1]
# Each pauses the batch by a lock: before it has read what staff did, and when it has, holding the log's lock.
BEFORE_READING = "LOCK TABLE policies_policyoutcome IN ACCESS EXCLUSIVE MODE"
BEFORE_WRITING = "LOCK TABLE restrictions_restriction IN SHARE MODE"
Act = Callable[[Client], Any]


@pytest.fixture(autouse=True)
def _planned(settings: Any, ada: Client, jonas: Client) -> None:
    """A live policy has planned to block every account of a campaign."""
    settings.AUTOMATIC_TRAFFIC_PERCENT = 100
    use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
    go_live(propose(ada, BLOCK.replace("[[rule]]", "delay_minutes = [60, 60]\n[[rule]]")), jonas)
    plan_earlier(hours=2)


def page_of_case(path: str) -> str:
    return f"/cases/{Case.objects.get(account__external_id=LET_GO).pk}/{path}"


def dismiss() -> Act:
    page = page_of_case("decide/")
    return lambda by: by.post(page, block_form(action="dismiss", favour="evaluation"))


def undo() -> Act:
    """Undo a block by a person, beside which the policy had nothing to do."""
    return lambda by: by.post(page_of_case("undo/"), {"note": "Too quick."})


def lift() -> Act:
    """Lift what another system had put into force."""
    about = Account.objects.get(external_id=LET_GO)
    number = restriction(about, Restriction.Kind.WARN, at=timezone.now()).number
    return lambda by: by.post(page_of_case(f"restrictions/{number}/lift/"), {"note": "Appeal granted."})


def apply_due_outcomes() -> None:
    with closing(connection):
        tasks.apply_policies()


def do(act: Callable[[], None]) -> None:
    with closing(connection):
        act()


def while_a_batch_is_paused(pause: str, act: Callable[[], None], *, waits: bool) -> None:
    """Let a person act beside a batch that is paused by this lock, and let both finish."""
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(pause)
            batch = pool.submit(apply_due_outcomes)
            wait_until(lambda: locks_waited_for() == 1, "the batch was in flight")
            person = pool.submit(do, act)
            if waits:
                wait_until(lambda: locks_waited_for() == 2 or person.done(), "the person waited, or was through")
            else:
                wait_until(person.done, "the person was through")
        batch.result()
        person.result()


def before_a_batch_that_waits(act: Callable[[], None]) -> None:
    """Let a person wait for the log, and a batch behind that person; PostgreSQL lets them through in this order."""
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            audit_log_lock()
            person = pool.submit(do, act)
            wait_until(lambda: locks_waited_for() == 1, "the person waited")
            batch = pool.submit(apply_due_outcomes)
            wait_until(lambda: locks_waited_for() == 2, "the batch waited")
        person.result()
        batch.result()


@pytest.fixture
def is_let_go(gateway: Served) -> Callable[[], bool]:
    def let_go() -> bool:
        """Whether the others of the campaign are refused and this account is not, after one more batch too."""
        tasks.apply_policies()
        in_force = Restriction.objects.filter(ended_at=None)
        assert not in_force.filter(account__external_id=LET_GO).exists()
        return answers(gateway, LET_GO) == {"allow"} and answers(gateway, OTHER) == {"deny"}

    return let_go


@pytest.mark.parametrize("prepare", [dismiss, lift])
def test_what_a_person_does_before_the_batch_reads_it_counts(
    jonas: Client, is_let_go: Callable[[], bool], prepare: Callable[[], Act]
) -> None:
    act = prepare()

    while_a_batch_is_paused(BEFORE_READING, lambda: _done(act(jonas)), waits=False)

    assert is_let_go()


@pytest.mark.parametrize("prepare", [dismiss, lift])
def test_a_batch_that_waits_behind_a_person_reads_what_that_person_did(
    jonas: Client, is_let_go: Callable[[], bool], prepare: Callable[[], Act]
) -> None:
    act = prepare()

    before_a_batch_that_waits(lambda: _done(act(jonas)))

    assert is_let_go()


@pytest.mark.parametrize("pause", [BEFORE_READING, BEFORE_WRITING], ids=["before reading", "before writing"])
def test_a_block_that_is_undone_meanwhile_is_not_made_again(
    jonas: Client, is_let_go: Callable[[], bool], pause: str
) -> None:
    _done(jonas.post(page_of_case("decide/"), block_form()))

    while_a_batch_is_paused(pause, lambda: _done(undo()(jonas)), waits=pause == BEFORE_WRITING)

    assert is_let_go()


def test_a_dismissal_that_waits_for_the_batch_lifts_what_it_made(jonas: Client, is_let_go: Callable[[], bool]) -> None:
    act = dismiss()

    while_a_batch_is_paused(BEFORE_WRITING, lambda: _done(act(jonas)), waits=True)

    assert is_let_go()


def _done(answer: Any) -> None:
    assert answer.status_code == 302
