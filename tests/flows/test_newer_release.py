"""What a newer release of Stillwatch writes keeps no older web process and no older gateway from following the rest."""

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from governance.restrictions.models import Change, Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.queries import access
from governance.restrictions.serializers import restriction_as_json
from governance.review.wording import outcome_word
from stillwatch_gateway import Gateway
from tests.factories import account, api_key, restriction
from tests.front import Served, served
from tests.servers import free_port
from tests.waiting import wait_until


def written_by_a_newer_release(name: str, **members: Any) -> int:
    """A restriction of an account, in the words of a release that this one does not know; its number."""
    with transaction.atomic():
        change = Change.objects.get(number=restriction(account(name), Restriction.Kind.WATCH, at=timezone.now()).number)
        assert change.payload is not None
        change.payload |= members
        change.save(update_fields=["payload"])
    return change.number


def everything_newer() -> int:
    """Between two blocks that every release can read; the number of the last change."""
    restriction(account("acct_before"), at=timezone.now())
    written_by_a_newer_release("acct_quarantined", kind="quarantine", denies=True, reason="a_new_reason")
    written_by_a_newer_release("acct_greeted", kind="greet", denies=False, reason="a_new_reason")
    written_by_a_newer_release("acct_reasoned", kind="block", denies=True, reason="a_new_reason", extra={"new": [1]})
    written_by_a_newer_release("acct_odd", kind="block", denies=True, until="the end of the quarter", reason=None)
    written_by_a_newer_release("acct_withheld", kind="withhold", denies=False, withheld=["dreams"])
    written_by_a_newer_release(
        "acct_grouped", kind="block", denies=True, names={"account": ["acct_grouped"], "project": ["project_1"]}
    )
    written_by_a_newer_release("acct_nobody", kind="block", denies=True, names={"project": ["project_1"]})
    return restriction(account("acct_after"), at=timezone.now()).number


DENIED = {"acct_before", "acct_quarantined", "acct_reasoned", "acct_odd", "acct_grouped", "acct_after"}
ALLOWED = {"acct_greeted", "acct_withheld", "acct_nobody", "acct_other"}
FAULTS = 4  # quarantine, greet, odd, and the one that names nobody


def denied_by_check(front: Served) -> set[str]:
    return {name for name in DENIED | ALLOWED if front.check(account=name)["decision"] == "deny"}


def denied_by(gateway: Gateway) -> set[str]:
    return {name for name in DENIED | ALLOWED if not gateway.decide(account=name).allowed}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.mark.django_db(transaction=True)
class TestChangesOfANewerRelease:
    def test_are_followed_by_web_processes_and_gateways_that_run(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        def is_logged(words: str) -> bool:
            return words in caplog.text

        with served() as front:
            gateway = Gateway(front.url, front.secret, folder, instance="gateway-1")
            assert gateway.start(wait=60)
            last = everything_newer()
            wait_until(lambda: front.front.replica.restricted.sequence == last)
            wait_until(lambda: gateway.sequence == last)
            checked, decided, withheld = (
                denied_by_check(front),
                denied_by(gateway),
                gateway.decide(account="acct_withheld"),
            )
            wait_until(lambda: is_logged(f"gateway-1 could not read {FAULTS} "), "the gateway has reported them")
            gateway.close()

        assert checked == decided == DENIED
        assert withheld.withheld == ("dreams",)
        assert front.front.replica.faults == gateway.faults == FAULTS
        assert is_logged("kind 'quarantine' is not known")

    def test_are_read_by_those_that_start_afterwards_from_the_snapshot_and_from_disk(self, folder: Path) -> None:
        last = everything_newer()
        with served() as front:
            gateway = Gateway(front.url, front.secret, folder)
            assert gateway.start(wait=60)
            wait_until(lambda: gateway.sequence == last)
            from_snapshot, from_check = denied_by(gateway), denied_by_check(front)
            gateway.close()
            secret = front.secret
        offline = Gateway(f"http://127.0.0.1:{free_port()}", secret, folder)
        offline.start(wait=0)
        from_disk = denied_by(offline)
        offline.close()

        assert from_snapshot == from_check == from_disk == DENIED
        assert gateway.faults == offline.faults == FAULTS


@pytest.mark.django_db
@pytest.mark.parametrize("denies", [True, False])
class TestARestrictionOfANewerKind:
    def test_goes_on_denying_or_allowing_when_an_older_process_publishes_its_names(self, *, denies: bool) -> None:
        number = written_by_a_newer_release("acct_quarantined", kind="quarantine", denies=denies)
        Restriction.objects.filter(number=number).update(kind="quarantine")
        api_key(Account.objects.get(external_id="acct_quarantined"), "key_new")

        cover_new_names(now=timezone.now())

        payload: Any = Change.objects.latest("number").payload
        assert payload["names_added"]["key"] == ["key_new"]
        assert (payload["kind"], payload["denies"]) == ("quarantine", denies)

    def test_is_what_its_release_said_for_the_api_and_the_pages_of_an_older_one(self, *, denies: bool) -> None:
        number = written_by_a_newer_release("acct_quarantined", kind="quarantine", denies=denies)
        Restriction.objects.filter(number=number).update(kind="quarantine")

        asked = access(account="acct_quarantined", now=timezone.now())

        assert asked.restriction is not None
        assert asked.allowed != denies
        assert restriction_as_json(asked.restriction)["kind"] == outcome_word("quarantine") == "quarantine"
