"""Two requests at the same moment: the later one waits, and then goes by what the first has done."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from governance.restrictions.models import Restriction
from governance.review import unfinished_decisions
from governance.review.actions import decide, reopen
from governance.review.models import Case, Decision
from governance.review.undo import undo_decision
from governance.review.verdicts import PartOfCampaignError
from governance.staff.models import User
from tests.factories import NOW, account, campaign_case, case, person
from tests.review.bulk import carry_on, started, states
from tests.review.deciding import BLOCK, DISMISS, decided
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone() != (0,))


@contextmanager
def meanwhile(act: Callable[[], Any]) -> Iterator[list[Any]]:
    """Do what is in the block in a transaction; before it commits another process begins to `act`, and waits for it.

    Yields a list, which holds in the end what that returned.
    """

    def with_own_connection() -> Any:
        try:
            return act()
        finally:
            connection.close()

    returned: list[Any] = []
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            yield returned
            other = pool.submit(with_own_connection)
            wait_until(waits_for_a_lock, "the other waits")
        returned.append(other.result())


def test_a_bulk_decision_leaves_a_case_that_joins_that_of_its_campaign_while_it_waits() -> None:
    part, whole = case(account("acct_dune")), campaign_case(account(), account())
    bulk = started([part.own_account])

    with meanwhile(carry_on):
        Case.objects.filter(pk=part.pk).update(part_of=whole)

    assert states(bulk) == {"acct_dune": ("skipped", str(PartOfCampaignError()))}
    assert not Decision.objects.exists()


def unfinished(decision: Decision) -> Decision:
    """As after a batch of very many."""
    decision.is_unfinished = True
    decision.save(update_fields=["is_unfinished"])
    return decision


def test_a_decision_that_is_sent_twice_is_made_once() -> None:
    opened, mira, sent = case(account("acct_harbour")), person(), uuid.uuid4()

    def again() -> Decision:
        return decide(Case.objects.get(), BLOCK, decision_id=sent, by=User.objects.get(), now=NOW)

    with meanwhile(again) as answered:
        first = decided(opened, by=mira, key=sent)

    assert answered == [first]
    assert Restriction.objects.count() == Decision.objects.count() == 1


def test_a_batch_that_waited_while_its_decision_was_undone_looks_again() -> None:
    opened, mira = case(account("acct_harbour")), person()
    decision = unfinished(decided(opened, by=mira))

    with meanwhile(lambda: unfinished_decisions._apply_batch(decision.pk, now=NOW)) as is_more:
        undo_decision(opened, note="A slip.", by=mira, now=NOW)

    assert is_more == [True]
    assert not Restriction.objects.in_force(at=NOW).exists()


def test_a_batch_that_waited_while_another_decision_was_made_changes_nothing() -> None:
    opened, mira = case(account("acct_harbour")), person()
    decision = unfinished(decided(opened, by=mira))
    again = reopen(opened, by=mira, now=NOW)

    with meanwhile(lambda: unfinished_decisions._apply_batch(decision.pk, now=NOW)) as is_more:
        decided(again, DISMISS, by=mira)

    assert is_more == [False]
    assert not Restriction.objects.in_force(at=NOW).exists()
