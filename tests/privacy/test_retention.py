"""What the rules end is really ended by its task, and nothing is ended before."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker
from time_machine import TimeMachineFixture

from accounts.models import Account
from governance import tasks
from governance.detection.models import Assessment
from governance.privacy.holds import Target, set_hold
from governance.privacy.retention import apply_retention
from governance.privacy.rule import ERASED_TEXT, Does, Rule
from governance.privacy.rules import RULES
from governance.restrictions.models import Restriction
from governance.review.models import Decision, Step
from governance.usage.models import HeldEvent, UsageEvent
from tests.everything import one_of_everything
from tests.factories import MACHINE, NOW
from tests.privacy.ageing import TEXT, aged_rows

pytestmark = pytest.mark.django_db

ENDING = [rule for rule in RULES if rule.ends is not None]
# What a legal hold keeps of an account.
HELD = (
    *("usage.UsageEvent", "usage.Excerpt", "usage.HourlyProfile", "usage.ProfileDelta", "usage.WeeklySketch"),
    *("detection.Assessment", "campaigns.AccountTrait", "campaigns.AccountSample", "campaigns.AnswerSample"),
    *("campaigns.CampaignMember", "accounts.Account", "evidence.SealedAccount"),
    *("review.Case", "review.Step", "review.Decision", "review.BulkTarget", "restrictions.Restriction"),
)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def run_task(rule: Rule) -> None:
    assert rule.ends is not None
    getattr(tasks, rule.ends.by)()


def length(rule: Rule) -> timedelta:
    assert rule.ends is not None
    return timedelta(days=rule.ends.days)


def is_ended(rule: Rule, pks: list[Any], model: Any) -> bool:
    """Whether of these rows nothing is left that the rule ends."""
    assert rule.ends is not None
    left = model._default_manager.filter(pk__in=pks)
    match rule.ends.does:
        case Does.DELETE:
            return not left.exists()
        case Does.REPLACE_TEXTS:
            texts = [text for row in left.values_list(*rule.texts.split()) for text in row]
            return TEXT not in texts and ERASED_TEXT in texts
        case Does.PSEUDONYMIZE:
            return not left.filter(erased_at=None).exists() and not left.filter(email_domain__contains="smit").exists()


@pytest.fixture(scope="module")
def everything(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Made once: it takes longer than all that a test does with it, and each test undoes what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        one_of_everything()
        yield
        transaction.set_rollback(True)


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("rule", ENDING, ids=lambda rule: rule.table)
class TestEveryRuleWithAnEnd:
    def test_ends_rows_that_are_older(self, rule: Rule) -> None:
        rows = aged_rows(rule, length(rule) + 2 * DAY)
        pks = list(rows.values_list("pk", flat=True))
        assert pks

        run_task(rule)

        assert is_ended(rule, pks, rows.model)

    def test_leaves_rows_that_are_younger(self, rule: Rule) -> None:
        younger = length(rule) - DAY if length(rule) >= DAY else length(rule) / 5 or -DAY
        rows = aged_rows(rule, younger)
        pks = list(rows.values_list("pk", flat=True))
        assert pks

        run_task(rule)

        assert rows.model._default_manager.filter(pk__in=pks).count() == len(pks)
        assert not is_ended(rule, pks, rows.model)


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("rule", [rule for rule in ENDING if rule.table in HELD], ids=lambda rule: rule.table)
def test_a_legal_hold_keeps_rows_that_are_older(rule: Rule) -> None:
    rows = aged_rows(rule, length(rule) + 2 * DAY)
    pks = list(rows.values_list("pk", flat=True))
    for held in Account.objects.order_by("pk"):
        set_hold(Target("account", held.external_id, account=held), reason="Case 12/26.", by=MACHINE, now=NOW)

    run_task(rule)

    model = HeldEvent if rows.model is UsageEvent else rows.model
    assert model._default_manager.filter(pk__in=pks).count() == len(pks)
    assert not is_ended(rule, pks, model)


@pytest.mark.usefixtures("everything")
class TestReasonsOfDecisions:
    def test_are_kept_while_what_was_decided_is_in_force(self) -> None:
        [rule] = [rule for rule in RULES if rule.table == "review.Decision"]
        rows = aged_rows(rule, length(rule) + DAY)
        Restriction.objects.update(ended_at=None, ending="")

        apply_retention(now=NOW)

        assert {one.note for one in rows.all() if one.restriction_id} == {TEXT}
        assert Decision.objects.filter(note=TEXT).exists()
        assert Step.objects.exists()


@pytest.mark.usefixtures("everything")
class TestAssessments:
    def test_are_kept_if_they_are_the_newest_or_referred_to(self) -> None:
        [rule] = [rule for rule in RULES if rule.table == "detection.Assessment"]
        aged_rows(rule, length(rule) + DAY)
        before = Assessment.objects.count()

        apply_retention(now=NOW)

        assert Assessment.objects.count() == before - 1
