"""A database that is restored while no web process runs: gateways keep refusing, and report what was lost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Organisation
from governance.gateways.models import LostDecision
from governance.restrictions import names
from governance.restrictions.models import Change, Restriction
from governance.restrictions.publication import cover_new_names
from governance.staff.roles import Role
from stillwatch_gateway import Gateway
from tests.factories import account, person, restriction
from tests.flows.going_back import remember_database
from tests.flows.restores import AFTER, LOST, block_over_the_api, connect, front, refused_by, refused_by_check, words
from tests.front import Served, served
from tests.review.pages import signed_in
from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until

__all__ = ["connect", "front"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)


class TestWhileNothingRan:
    """All web processes were restarted with the restore: only gateways know what was lost."""

    @pytest.mark.long
    def test_gateways_keep_refusing_and_report_it_until_a_person_decides(self, connect: Callable[..., Gateway]) -> None:
        with served() as before:
            assert before.front.replica.wait_until_loaded(PATIENCE)
            secret = before.secret
            put_back = remember_database()
            block_over_the_api(*LOST)
            gateway, away = connect(before), connect(before, "away")
            port = before.port
            wait_until(lambda: refused_by(gateway, *LOST) == set(LOST) == refused_by(away, *LOST))
            away.close()

        put_back()
        block_over_the_api(*AFTER)
        call_command("new_epoch", "restored to ten minutes ago")
        with served(port=port) as front:
            front.secret = secret
            gateway.cut()  # from the server before, whose threads would go on
            wait_until(lambda: gateway.epoch == front.front.replica.restricted.epoch)

            assert refused_by(gateway, *LOST, *AFTER, "acct_good") == {*LOST, *AFTER}
            assert refused_by(connect(front, "away"), *LOST, *AFTER, "acct_good") == {*LOST, *AFTER}

            self.see_reported(front, gateway)
            assert Restriction.objects.count() == len(AFTER)  # a gateway's word restricts nobody
            kept, dropped, _ = LostDecision.objects.order_by("number")
            reviewer = signed_in(person())
            reviewer.post(f"/enforcement/lost/{kept.pk}/keep/")
            reviewer.post(f"/enforcement/lost/{dropped.pk}/drop/", {"note": "They explained it."})
            wait_until(lambda: refused_by(gateway, *LOST) == {"acct_1", "acct_3"})
            wait_until(lambda: refused_by_check(front, *LOST) == {"acct_1"})

    @staticmethod
    def see_reported(front: Served, gateway: Gateway) -> None:
        """Wait until the page lists what the gateway still refuses."""

        def are_reported() -> bool:
            gateway.cut()  # so that it does not wait for the next change before it tells
            front.front.telemetry.flush()
            return LostDecision.objects.count() == len(LOST)

        wait_until(are_reported)
        page = words(signed_in(person()), "/enforcement/")
        assert all(name in page for name in LOST)

    def test_what_is_still_refused_survives_a_restart_of_the_gateway(self, connect: Callable[..., Gateway]) -> None:
        with served() as before:
            assert before.front.replica.wait_until_loaded(PATIENCE)
            secret, port = before.secret, before.port
            put_back = remember_database()
            block_over_the_api(*LOST)
            gateway = connect(before)
            wait_until(lambda: refused_by(gateway, *LOST) == set(LOST))

        put_back()
        call_command("new_epoch", "restored")
        with served(port=port) as front:
            front.secret = secret
            gateway.cut()  # from the server before, whose threads would go on
            wait_until(lambda: gateway.epoch == front.front.replica.restricted.epoch)
            gateway.close()
            front.url = f"http://127.0.0.1:{free_port()}"

            again = connect(front, wait=0.1)

            assert refused_by(again, *LOST, "acct_good") == set(LOST)

    @pytest.mark.long
    def test_a_restore_that_nobody_told_of_lets_nobody_in_and_does_not_loop(
        self, connect: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stillwatch_gateway.epoch_changes.OLDER_SNAPSHOTS", 2)
        with served() as before:
            assert before.front.replica.wait_until_loaded(PATIENCE)
            secret, port = before.secret, before.port
            put_back = remember_database()
            block_over_the_api(*LOST)
            gateway = connect(before)
            wait_until(lambda: refused_by(gateway, *LOST) == set(LOST))

        put_back()
        block_over_the_api(*AFTER)
        with served(port=port) as front:
            front.secret = secret
            gateway.cut()  # from the server before, whose threads would go on
            wait_until(lambda: refused_by(gateway, *AFTER) == set(AFTER))

            assert gateway.sequence == Change.objects.count()
            assert refused_by(gateway, *LOST, *AFTER, "acct_good") == {*LOST, *AFTER}


class TestWhatAGatewayReports:
    """Of what it still refuses: all that a person needs to keep it in force."""

    @pytest.mark.long
    def test_names_whom_it_refuses_after_a_restart_too(self, connect: Callable[..., Gateway]) -> None:
        account("acct_1")
        with served() as before:
            assert before.front.replica.wait_until_loaded(PATIENCE)
            secret, port = before.secret, before.port
            put_back = remember_database()
            block_over_the_api("acct_2")
            gateway = connect(before)
            wait_until(lambda: refused_by(gateway, "acct_2") == {"acct_2"})
        put_back()
        call_command("new_epoch", "restored")
        with served(port=port) as front:
            front.secret = secret
            gateway.cut()
            wait_until(lambda: gateway.epoch == front.front.replica.restricted.epoch)
            gateway.close()

            again = connect(front)
            wait_until(lambda: is_reported(front, again))

            assert {one.target for one in LostDecision.objects.all()} == {"account acct_2"}

    @pytest.mark.long
    @pytest.mark.parametrize("shares_a_folder", [False, True], ids=["writes", "only reads"])
    def test_can_be_kept_of_a_large_organisation(
        self, connect: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch, *, shares_a_folder: bool
    ) -> None:
        monkeypatch.setattr(names, "ACCOUNTS_AT_ONCE", 20)
        monkeypatch.setattr(names, "MOST_LISTED", 10)
        for number in range(12):
            account(f"acct_{number:02}", organisation="org_quay")
        with served() as before:
            assert before.front.replica.wait_until_loaded(PATIENCE)
            secret, port = before.secret, before.port
            put_back = remember_database()
            assert before.knows(restriction(Organisation.objects.get(), at=timezone.now()).number)
            gateway = other = connect(before)
            wait_until(lambda: refused_by(other, "acct_00") == {"acct_00"})
            if shares_a_folder:
                gateway = connect(before)
            account("acct_new", organisation="org_quay")
            cover_new_names(now=timezone.now())
            wait_until(lambda: refused_by(gateway, "acct_00", "acct_new") == {"acct_00", "acct_new"})
            if shares_a_folder:
                other.close()
        put_back()
        call_command("new_epoch", "restored")
        with served(port=port) as front:
            front.secret = secret
            gateway.cut()
            wait_until(lambda: gateway.epoch == front.front.replica.restricted.epoch)
            wait_until(lambda: is_reported(front, gateway))
            lost = LostDecision.objects.get()
            signed_in(person()).post(f"/enforcement/lost/{lost.pk}/keep/")

            assert lost.target == "organisation org_quay"
            assert {"acct_00", "acct_11", "acct_new"} <= set(lost.payload["names"]["account"])
            assert Restriction.objects.get(ended_at=None).organisation == Organisation.objects.get()
            wait_until(lambda: refused_by_check(front, "acct_00") == {"acct_00"})


def is_reported(front: Served, gateway: Gateway) -> bool:
    """Whether the page lists anything; has the gateway ask, and what it says written down."""
    gateway.cut()
    front.front.telemetry.flush()
    return LostDecision.objects.filter(gateway__isnull=False).exists()


def test_a_gateway_cannot_restrict_anybody_by_what_it_reports(front: Served) -> None:
    account("acct_1")
    held = {"number": 7, "kind": "block", "against": "account", "reason": "other", "names": {"account": ["acct_1"]}}
    body: dict[str, Any] = {"after": 0, "instance": "a", "wait": 0, "held_over": [held]}

    assert front.ask("/api/v1/access/changes", method="POST", body=body).status == 200
    front.front.telemetry.flush()

    assert front.check(account="acct_1")["decision"] == "allow"
    assert LostDecision.objects.get().target == "account acct_1"
    assert signed_in(person(role=Role.REVIEWER)).get("/enforcement/").status_code == 200
