"""What is promised of policies, from the usage that comes in to the gateway's answer."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from governance import tasks
from governance.audit.models import Entry
from governance.policies.models import PolicyOutcome
from governance.restrictions.models import Restriction
from governance.review.models import Case
from tests.campaigns.traffic import HEADS, harvest_lines, lines_of, long_prompts_of
from tests.factories import line
from tests.flows.policies import (
    BLOCK,
    _all_traffic,
    ada,
    answers,
    gateway,
    go_live,
    jonas,
    locks_waited_for,
    page,
    plan_earlier,
    propose,
    register,
    use,
)
from tests.front import Served
from tests.review.pages import block_form
from tests.waiting import wait_until

__all__ = ["_all_traffic", "ada", "gateway", "jonas"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENTED = re.search(r"```toml\n(.*?)```", Path(settings.BASE_DIR, "docs/policy.md").read_text("utf-8"), re.DOTALL)


class TestAPolicyDoesLiveWhatItSawInTheShadow:
    def test_without_any_further_usage(self, ada: Client, jonas: Client, gateway: Served) -> None:
        policy = propose(ada)
        use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
        in_shadow = page(jonas)
        tasks.apply_policies()
        allowed = {gateway.check(account=name)["decision"] for name in HEADS}
        go_live(policy, jonas)
        tasks.apply_policies()

        assert "Shadow mode: it would have restricted 5 accounts since it was proposed." in in_shadow
        assert allowed == {"allow"}
        assert answers(gateway, *HEADS) == {"deny"}
        assert "Live: it restricted 5 accounts so far." in page(jonas)
        assert "Shadow mode: it would have restricted 5 accounts since it was proposed." in page(jonas)

    def test_and_spares_who_does_not_fit_any_more(
        self, ada: Client, jonas: Client, gateway: Served, tmp_path: Path
    ) -> None:
        policy = propose(ada, BLOCK.replace("score = 80", 'plans = ["free"]'))
        use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
        register(tmp_path / "accounts", *HEADS, plan="free")
        register(tmp_path / "accounts", "acct_a", plan="enterprise")
        go_live(policy, jonas)
        tasks.apply_policies()

        assert answers(gateway, "acct_a") == {"allow"}
        assert answers(gateway, *HEADS[1:]) == {"deny"}

    def test_says_of_each_account_what_became_of_it(self, ada: Client, jonas: Client, settings: Any) -> None:
        settings.AUTOMATIC_ACCOUNTS_AN_HOUR = 2
        policy = propose(ada)
        use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
        case = Case.objects.get(account__external_id="acct_a")
        jonas.post(f"/cases/{case.pk}/decide/", block_form(action="dismiss", favour="evaluation", against=""))
        go_live(policy, jonas)
        tasks.apply_policies()

        shown = page(jonas)
        assert "Shadow mode: it would have restricted 5 accounts" in shown
        assert "Restricted 2 Planned 0 Held for review 2" in shown
        assert "1: Staff dismissed the case" in shown
        assert "Same or stronger 0 Milder 0 Dismissed 1 Not decided 4" in shown


def test_the_documented_policy_matches_and_throttles(
    ada: Client, jonas: Client, gateway: Served, tmp_path: Path
) -> None:
    assert DOCUMENTED is not None
    now = timezone.now()
    accounts = [f"acct_{number:02}" for number in range(12)]
    # No two have a task in common, and the rest is without text.
    use(*lines_of(accounts, lambda place, n: long_prompts_of(place, n) if n < 40 else None, each=500, at=now))
    register(tmp_path / "accounts", *accounts, plan="payg", created_at=(now - timedelta(days=6)).isoformat())
    policy = propose(ada, DOCUMENTED[1])
    before = page(jonas, f"/policy/{policy.pk}/live/")
    go_live(policy, jonas)
    plan_earlier(hours=6)
    planned = page(jonas)
    tasks.apply_policies()

    assert "it would restrict 12 accounts" in before
    assert "acct_00 (score 100) throttled by “Large campaigns on pay-as-you-go plans”" in before
    assert "Restricted 0 Planned 12" in planned
    assert answers(gateway, *accounts) == {"allow"}
    assert {gateway.check(account=name)["limits"]["requests_per_minute"] for name in accounts} == {5}


def test_two_kinds_of_evidence_refuse_nobody(ada: Client, jonas: Client, gateway: Served) -> None:
    now = timezone.now()
    for place in range(3):
        hours = timedelta(hours=5 * place)
        use(*harvest_lines("acct_alone", each=25, start=25 * place, at=now - hours))
    families = {finding["family"] for finding in Case.objects.get().assessment.findings if finding["points"] > 0}
    policy = propose(ada, BLOCK.replace("score = 80\nfamilies", "# families"))
    before = page(jonas, f"/policy/{policy.pk}/live/")
    go_live(policy, jonas)
    tasks.apply_policies()

    assert len(families) == 2
    assert "it would restrict 0 accounts" in before
    assert gateway.check(account="acct_alone")["decision"] == "allow"
    assert "1: Fewer than 3 kinds of evidence" in page(jonas)


def test_nobody_is_restricted_after_the_switch_has_returned(ada: Client, jonas: Client) -> None:
    use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
    go_live(propose(ada, BLOCK.replace("[[rule]]", "delay_minutes = [60, 60]\n[[rule]]")), jonas)
    plan_earlier(hours=2)

    def apply_due_outcomes() -> None:
        with closing(connection):
            tasks.apply_policies()

    def switch_off() -> int:
        """How many are restricted when it has returned."""
        with closing(connection):
            assert jonas.post("/policy/off/", {"why": "Too many appeals."}).status_code == 302
            return Restriction.objects.count()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            # The batch has asked whether it may begin, and has to wait before it knows whom to restrict.
            cursor.execute("LOCK TABLE policies_policyoutcome IN ACCESS EXCLUSIVE MODE")
            batch = pool.submit(apply_due_outcomes)
            wait_until(lambda: locks_waited_for() == 1, "the batch was in flight")
            switching = pool.submit(switch_off)
            wait_until(lambda: locks_waited_for() == 2 or switching.done(), "the switch waited, or was through")
        batch.result()
        when_off = switching.result()
    tasks.apply_policies()

    assert Restriction.objects.count() == when_off


def test_going_live_early_takes_a_reason_that_the_log_keeps(ada: Client, jonas: Client) -> None:
    use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
    policy = propose(ada)
    shown = page(jonas)
    without = jonas.post(f"/policy/{policy.pk}/live/")
    own = ada.post(f"/policy/{policy.pk}/live/", {"why": "An incident."})
    go_live(policy, jonas)

    assert "No matches since it was proposed." in shown
    assert "No accounts scored since then." in shown
    assert without.status_code == 422
    assert "A policy stays in shadow mode for 24 h first." in without.content.decode()
    assert own.status_code == 409
    entry = Entry.objects.get(verb="policy.went_live")
    assert (entry.actor_name, entry.details["early_because"]) == ("Jonas Lindqvist", "An incident.")


def test_the_page_says_with_how_many_scorings_a_policy_was_compared(ada: Client, jonas: Client) -> None:
    propose(ada)
    use(*(line(account=f"acct_{number}") for number in range(7)))

    assert "Compared with 7 scorings since then." in page(jonas)
    assert "No matches since it was proposed." in page(jonas)
    assert not PolicyOutcome.objects.exists()
