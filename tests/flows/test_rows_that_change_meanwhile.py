"""What is decided or registered is found although somebody else changes its row at the same moment."""

import uuid
from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection, transaction

from accounts.actions import get_or_create_keys
from accounts.models import ApiKey
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Case, Decision
from governance.review.verdicts import Verdict
from tests.factories import NOW, account, api_key, assessment, case, person
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BLOCK = Verdict(action=RestrictionKind.BLOCK, reason=Reason.BULK_HARVEST, terms_clause="2.3", note="Clear.")


def while_another_changes(change: Callable[[], object], act: Callable[[], object]) -> None:
    """Act in another thread, which waits for a row that is changed here, and changes for it on commit."""

    def act_and_close() -> None:
        try:
            act()
        finally:
            connection.close()

    acting = Thread(target=act_and_close)
    with transaction.atomic():
        change()
        acting.start()
        wait_until(_somebody_waits_for_a_row, "the other waits for the row")
    acting.join()


def _somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_case_that_is_scored_again_is_decided() -> None:
    about, reviewer = case(), person()
    newer = assessment(about.own_account, score=90, band="critical")

    while_another_changes(
        lambda: Case.objects.filter(pk=about.pk).update(assessment=newer),
        lambda: decide(about, BLOCK, decision_id=uuid.uuid4(), by=reviewer, now=NOW),
    )

    assert Decision.objects.get().assessment == newer


def test_a_key_that_moves_is_tied_to_whom_a_sender_says_it_belongs() -> None:
    key, harvester = api_key(account("acct_before"), "key_1"), account("acct_harvester")
    other = account("acct_other")

    @transaction.atomic
    def tie() -> None:
        get_or_create_keys([("key_1", harvester.pk)], ties=True, now=NOW)

    while_another_changes(lambda: ApiKey.objects.filter(pk=key.pk).update(account=other), tie)

    assert ApiKey.objects.get().account == harvester
