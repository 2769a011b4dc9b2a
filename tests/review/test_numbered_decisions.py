"""An upgrade numbers the decisions that there are."""

import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command

from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import LiftedOrigin, Restriction
from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Decision
from governance.review.verdicts import Verdict
from tests.factories import NOW, account, case, person

BLOCK = Verdict(action=RestrictionKind.BLOCK, reason=Reason.BULK_HARVEST)


@pytest.mark.django_db(transaction=True)
def test_those_made_before_come_first_in_the_order_of_their_times() -> None:
    reviewer = person()
    opened = [case(account(name)) for name in ("acct_1", "acct_2", "acct_3", "acct_4")]
    for one, hours in zip(opened[:3], (3, 1, 2), strict=True):
        decide(one, BLOCK, decision_id=uuid.uuid4(), by=reviewer, now=NOW + timedelta(hours=hours))
    unfinished = opened[0].decisions.get()
    unfinished.is_unfinished = True
    unfinished.save(update_fields=["is_unfinished"])
    Restriction.objects.filter(decision=unfinished).update(ended_at=NOW, ending=Restriction.Ending.LIFTED)

    call_command("migrate", "review", "0004", verbosity=0)
    LiftedOrigin.objects.all().delete()
    call_command("migrate", "review", verbosity=0)
    decide(opened[3], BLOCK, decision_id=uuid.uuid4(), by=reviewer, now=NOW)

    in_order = Decision.objects.order_by("number").values_list("case__account__external_id", flat=True)
    assert list(in_order) == ["acct_2", "acct_3", "acct_1", "acct_4"]
    assert LiftedOrigin.objects.get().origin == unfinished.origin
