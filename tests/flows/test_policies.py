"""What is promised of policies, from the usage that comes in to the gateway's answer."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from governance import pipeline, tasks
from governance.audit.models import Entry
from governance.policies.models import PolicyOutcome, PolicyVersion
from governance.restrictions.models import Change, Restriction
from governance.review.models import Case
from governance.staff.roles import Role
from tests.campaigns.traffic import HEADS, harvest_lines, lines_of, long_prompts_of
from tests.factories import line, person, service_key
from tests.front import Served, served
from tests.review.pages import block_form, signed_in
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BLOCK = """version = "1"
[[rule]]
name = "Harvests"
score = 80
families = ["content", "together"]
action = "block"
reason = "bulk_harvest"
"""
DOCUMENTED = re.search(r"```toml\n(.*?)```", Path(settings.BASE_DIR, "docs/policy.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture(autouse=True)
def _all_traffic(settings: Any) -> None:
    """Those who are restricted here are all the traffic there is."""
    settings.AUTOMATIC_TRAFFIC_PERCENT = 100


@pytest.fixture
def ada() -> Client:
    return signed_in(person("Ada Moreau", role=Role.LEAD))


@pytest.fixture
def jonas() -> Client:
    return signed_in(person("Jonas Lindqvist", role=Role.LEAD))


@pytest.fixture
def gateway() -> Iterator[Served]:
    with served() as at:
        yield at


def use(*lines: bytes) -> None:
    _, known = service_key("usage:write")
    taken = Client().post("/api/v1/usage-events", b"\n".join(lines), content_type="application/x-ndjson", **known)
    assert (taken.status_code, taken.json()["rejected"]) == (202, 0)
    tasks.score_dirty_accounts()


def register(path: Path, *accounts: str, **members: Any) -> None:
    """Import the accounts with these facts, and have them scored again."""
    path.write_text("\n".join(json.dumps({"account": name} | members) for name in accounts))
    call_command("import_accounts", path)
    call_command("rescore", *accounts)
    tasks.score_dirty_accounts()


def propose(by: Client, content: str = BLOCK) -> PolicyVersion:
    assert by.post("/policy/propose/", {"content": content}).status_code == 302
    return PolicyVersion.objects.get(content=content)


def go_live(policy: PolicyVersion, by: Client) -> None:
    answer = by.post(f"/policy/{policy.pk}/live/", {"why": "An incident."})
    assert answer.status_code == 302


def plan_earlier(*, hours: int) -> None:
    """Let a policy that went live plan so long ago that what it delays is due now."""
    pipeline.apply_policies(now=timezone.now() - timedelta(hours=hours))


def page(client: Client, path: str = "/policy/") -> str:
    text = re.sub("<[^>]+>", " ", client.get(path).content.decode())
    return " ".join(text.split()).replace(" :", ":")


def answers(gateway: Served, *accounts: str) -> set[str]:
    """What the gateway is told about them, when the web process knows all that has happened."""
    assert gateway.knows(Change.objects.latest("number").number)
    return {gateway.check(account=name)["decision"] for name in accounts}


def lift(account: str, by: Client) -> None:
    case = Case.objects.get(account__external_id=account)
    number = Restriction.objects.get(account__external_id=account, ended_at=None).number
    answer = by.post(f"/cases/{case.pk}/restrictions/{number}/lift/", {"note": "Appeal granted."})
    assert answer.status_code in {200, 204, 302}


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


class TestWhatStaffLifted:
    def test_stays_lifted_until_there_is_a_new_kind_of_evidence(
        self, ada: Client, jonas: Client, gateway: Served, tmp_path: Path
    ) -> None:
        use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
        go_live(propose(ada), jonas)
        tasks.apply_policies()
        blocked = answers(gateway, *HEADS)
        lift("acct_a", jonas)
        go_live(propose(ada, BLOCK.replace('"1"', '"2"')), jonas)
        call_command("rescore", "--all")
        tasks.score_dirty_accounts()
        tasks.apply_policies()
        second = answers(gateway, "acct_a")
        shown = page(jonas)
        # The register comes late: the account was opened for this.
        register(tmp_path / "accounts", "acct_a", created_at=(timezone.now() - timedelta(days=3)).isoformat())
        tasks.apply_policies()

        assert (blocked, second) == ({"deny"}, {"allow"})
        assert "1: Staff removed a restriction" in shown
        assert answers(gateway, "acct_a") == {"deny"}
        assert Restriction.objects.get(account__external_id="acct_a", ended_at=None).author == "system:policy 2"

    def test_over_the_api_stays_lifted_too(self, ada: Client, jonas: Client, gateway: Served) -> None:
        use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
        go_live(propose(ada), jonas)
        tasks.apply_policies()
        _, known = service_key("restrictions:write")
        number = Restriction.objects.get(account__external_id="acct_b").number
        Client().delete(f"/api/v1/restrictions/{number}?note=Appeal+granted", **known)
        go_live(propose(ada, BLOCK.replace('"1"', '"2"').replace('"block"', '"suspend"\ndays = 7')), jonas)
        tasks.apply_policies()

        assert answers(gateway, "acct_b") == {"allow"}

    def test_stays_lifted_though_the_register_moves_the_account_or_the_key(
        self, ada: Client, jonas: Client, gateway: Served, tmp_path: Path
    ) -> None:
        use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
        register(tmp_path / "accounts", "acct_a", organisation="org_a")
        register(tmp_path / "accounts", "acct_b", keys=[{"id": "key_b"}])
        _, known = service_key("restrictions:write")
        for target in ({"organisation": "org_a"}, {"api_key": "key_b"}):
            asked = {"kind": "block", "reason": "bulk_harvest"} | target
            made = Client().post("/api/v1/restrictions", asked, content_type="application/json", **known)
            Client().delete(f"/api/v1/restrictions/{made.json()['number']}?note=Appeal+granted", **known)
        register(tmp_path / "accounts", "acct_a", organisation="org_elsewhere")
        register(tmp_path / "accounts", "acct_of_another", keys=[{"id": "key_b"}])
        go_live(propose(ada), jonas)
        tasks.apply_policies()

        assert answers(gateway, "acct_a", "acct_b") == {"allow"}
        assert answers(gateway, "acct_c") == {"deny"}

    def test_while_it_was_planned_is_let_go(self, ada: Client, jonas: Client, gateway: Served) -> None:
        use(*harvest_lines(*HEADS, each=40, at=timezone.now()))
        go_live(propose(ada, BLOCK.replace("[[rule]]", "delay_minutes = [60, 60]\n[[rule]]")), jonas)
        plan_earlier(hours=2)
        case = Case.objects.get(account__external_id="acct_c")
        decided = jonas.post(f"/cases/{case.pk}/decide/", block_form(action="watch", terms_clause=""))
        tasks.apply_policies()

        assert decided.status_code == 302
        assert answers(gateway, "acct_c") == {"allow"}
        assert answers(gateway, "acct_d") == {"deny"}


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


def locks_waited_for() -> int:
    """How many connections wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        [number] = cursor.fetchone() or (0,)
    return int(number)


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
