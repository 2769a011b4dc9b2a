"""What staff lifted stays lifted, whatever a policy finds afterwards, until there is a new kind of evidence."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from governance import tasks
from governance.restrictions.models import Restriction
from governance.review.models import Case
from tests.campaigns.traffic import HEADS, harvest_lines
from tests.factories import service_key
from tests.flows.policies import (
    BLOCK,
    _all_traffic,
    ada,
    answers,
    gateway,
    go_live,
    jonas,
    page,
    plan_earlier,
    propose,
    register,
    use,
)
from tests.front import Served
from tests.review.pages import block_form

__all__ = ["_all_traffic", "ada", "gateway", "jonas"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)


def lift(account: str, by: Client) -> None:
    case = Case.objects.get(account__external_id=account)
    number = Restriction.objects.get(account__external_id=account, ended_at=None).number
    answer = by.post(f"/cases/{case.pk}/restrictions/{number}/lift/", {"note": "Appeal granted."})
    assert answer.status_code in {200, 204, 302}


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
