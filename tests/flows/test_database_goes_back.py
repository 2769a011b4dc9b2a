"""A database that goes back in time, as by a restore: nobody who was refused is let in, and what was lost is listed."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation
from governance.audit.models import Entry
from governance.gateways.models import GatewayInstance, LostDecision
from governance.restrictions import names
from governance.restrictions.actions import lift
from governance.restrictions.models import Change, FeedEpoch, Restriction
from governance.restrictions.publication import cover_new_names
from governance.staff.roles import Role
from stillwatch_gateway import Gateway
from tests.factories import MACHINE, account, api_key, person, restriction, service_key
from tests.flows.going_back import remember_database
from tests.front import Served, served
from tests.review.pages import signed_in
from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

LOST = ("acct_1", "acct_2", "acct_3")
AFTER = ("acct_4", "acct_5")
DAYS = timedelta(days=2)


@pytest.fixture
def front() -> Iterator[Served]:
    with served() as running:
        assert running.front.replica.wait_until_loaded(PATIENCE)  # by then there is an epoch
        yield running


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts clients, each with a folder of its name."""
    with ExitStack() as stack:

        def started(front: Served, name: str = "a", *, wait: float = PATIENCE) -> Gateway:
            gateway = Gateway(front.url, front.secret, tmp_path / name, instance=f"{name} {id(object())}")
            stack.callback(gateway.close)
            gateway.start(wait)
            return gateway

        yield started


def block_over_the_api(*names: str) -> None:
    _, key = service_key("restrictions:write", name="machines")
    for name in names:
        account(name)
        asked = {"account": name, "kind": "block", "reason": "bulk_harvest"}
        assert Client().post("/api/v1/restrictions", asked, "application/json", **key).status_code == 201


def refused_by_check(front: Served, *names: str) -> set[str]:
    return {name for name in names if front.check(account=name)["decision"] == "deny"}


def refused_by_nginx(front: Served, *names: str) -> set[str]:
    headers = {"x_stillwatch_key": front.secret}
    return {name for name in names if front.ask("/access/nginx", x_stillwatch_account=name, **headers).status == 403}


def refused_by(gateway: Gateway, *names: str) -> set[str]:
    return {name for name in names if not gateway.decide(account=name).allowed}


def has_begun_an_epoch(front: Served) -> bool:
    return front.front.replica.restricted.sequence > 1_000_000


def words(client: Client, page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(page).content.decode()).split())


class TestWhileTheWebProcessRan:
    def test_everybody_stays_refused_and_the_page_says_what_was_lost(
        self, front: Served, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture
    ) -> None:
        block_over_the_api("acct_0")
        away, away_port = connect(front, "away"), front.url
        put_back = remember_database()
        block_over_the_api(*LOST)
        follows = connect(front, "follows")
        wait_until(lambda: refused_by(away, *LOST) == set(LOST))
        away.close()

        put_back()
        block_over_the_api(*AFTER)
        every = ("acct_0", *LOST, *AFTER)
        wait_until(lambda: has_begun_an_epoch(front))

        assert refused_by_check(front, *every, "acct_good") == set(every)
        assert refused_by_nginx(front, *every, "acct_good") == set(every)
        wait_until(lambda: refused_by(follows, *every) == set(every))
        wait_until(lambda: follows.epoch == front.front.replica.restricted.epoch)
        assert refused_by(follows, *every, "acct_good") == set(every)
        assert front.check(account="acct_1")["epoch"] == follows.epoch
        # A client that was away across it, and a new one.
        front.url = away_port
        assert refused_by(connect(front, "away"), *every, "acct_good") == set(every)
        assert refused_by(connect(front, "new"), *every, "acct_good") == set(every)

        page = words(signed_in(person()), "/enforcement/")
        assert all(name in page for name in LOST)
        assert "3 decisions were lost" in words(signed_in(person()), "/enforcement/alarm/")
        assert "The database went back in time" in caplog.text
        assert set(Entry.objects.filter(verb="restriction.created").values_list("subject_id", flat=True)) == set(every)

    def test_a_person_keeps_one_and_drops_another(self, front: Served, connect: Callable[..., Gateway]) -> None:
        put_back = remember_database()
        block_over_the_api("acct_1", "acct_2")
        gateway = connect(front)
        put_back()
        wait_until(lambda: has_begun_an_epoch(front))
        wait_until(lambda: gateway.epoch == front.front.replica.restricted.epoch)
        reviewer = signed_in(person())
        kept, dropped = LostDecision.objects.order_by("number")

        assert reviewer.post(f"/enforcement/lost/{kept.pk}/keep/").status_code == 302
        assert reviewer.post(f"/enforcement/lost/{dropped.pk}/drop/", {"note": "They explained it."}).status_code == 302

        wait_until(lambda: refused_by(gateway, "acct_1", "acct_2") == {"acct_1"})
        wait_until(lambda: refused_by_check(front, "acct_1", "acct_2") == {"acct_1"})
        assert "lost" not in words(reviewer, "/enforcement/alarm/")
        assert Entry.objects.filter(verb="lost_decision.settled").count() == 2

    def test_a_lifting_that_was_lost_is_listed_and_can_be_done_again(self, front: Served) -> None:
        blocked = restriction(account("acct_1"), at=timezone.now())
        assert front.knows(blocked.number)
        put_back = remember_database()
        lift(blocked, note="They explained it.", by=MACHINE, now=timezone.now())
        assert front.knows(blocked.number + 1)

        put_back()
        wait_until(lambda: has_begun_an_epoch(front))

        assert refused_by_check(front, "acct_1") == {"acct_1"}
        lost = LostDecision.objects.get()
        assert (lost.what, lost.target, lost.restriction_id) == ("ended", "account acct_1", blocked.number)
        signed_in(person()).post(f"/enforcement/lost/{lost.pk}/drop/", {"note": "They explained it."})
        wait_until(lambda: refused_by_check(front, "acct_1") == set())

    @pytest.mark.parametrize("before", [{"starts_at": DAYS}, {"until": DAYS}], ids=["planned", "shorter"])
    def test_a_block_is_not_taken_for_one_of_another_time(self, front: Served, before: dict[str, timedelta]) -> None:
        now, harbour = timezone.now(), account("acct_1")
        terms: dict[str, Any] = {name: now + after for name, after in before.items()}
        restriction(harbour, at=now, **terms)
        put_back = remember_database()
        lost = restriction(harbour, at=timezone.now())
        assert front.knows(lost.number)

        put_back()
        wait_until(lambda: has_begun_an_epoch(front))

        [again] = Restriction.objects.filter(ended_at=None, expires_at=None, starts_at__lte=timezone.now())
        assert refused_by_check(front, "acct_1") == {"acct_1"}
        assert LostDecision.objects.get(what="began").restriction == again

    def test_keys_and_organisations_are_found_again_as_far_as_the_register_has_them(self, front: Served) -> None:
        key = api_key(account("acct_1"), "key_1")
        put_back = remember_database()
        restriction(key, at=timezone.now())
        late = api_key(account("acct_2"), "key_2")
        assert front.knows(restriction(late, at=timezone.now()).number)

        put_back()
        wait_until(lambda: has_begun_an_epoch(front))

        assert front.check(api_key="key_1")["decision"] == "deny"
        unknown = LostDecision.objects.get(target="key key_2")
        assert unknown.restriction is None
        page = signed_in(person()).post(f"/enforcement/lost/{unknown.pk}/keep/", follow=True).content.decode()
        assert "There is no key key_2 in the register. Import it and try again." in page

    def test_two_web_processes_agree_on_one_epoch(self, front: Served) -> None:
        put_back = remember_database()
        with served() as other:
            block_over_the_api(*LOST)
            assert front.knows(3)
            assert other.knows(3)

            put_back()
            wait_until(lambda: has_begun_an_epoch(front) and has_begun_an_epoch(other))

            epochs = {one.front.replica.restricted.epoch for one in (front, other)}
            assert epochs == {FeedEpoch.objects.first().identifier}  # type: ignore[union-attr]
            assert FeedEpoch.objects.count() == 2
            assert LostDecision.objects.count() == 3
            assert refused_by_check(other, *LOST) == set(LOST)

    def test_a_holder_of_the_epoch_before_is_not_said_to_have_anything_in_force(self, front: Served) -> None:
        put_back = remember_database()
        block_over_the_api(*LOST)
        assert front.knows(3)
        body = {"after": 3, "instance": "old", "wait": 0, "epoch": front.front.replica.restricted.epoch}
        assert front.ask("/api/v1/access/changes", method="POST", body=body).status == 200

        put_back()
        wait_until(lambda: has_begun_an_epoch(front))
        assert front.ask("/api/v1/access/changes", method="POST", body=body).status == 410
        front.front.telemetry.flush()

        assert GatewayInstance.objects.get(instance="old").sequence < 2_000_000
        assert "not yet in force at litellm" in words(signed_in(person()), "/enforcement/")


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


class TestTheCommand:
    def test_begins_an_epoch_with_an_entry_and_lets_nobody_in(
        self, front: Served, connect: Callable[..., Gateway], capsys: pytest.CaptureFixture[str]
    ) -> None:
        block_over_the_api(*LOST)
        gateway = connect(front)
        before = gateway.epoch

        call_command("new_epoch", "promoted the standby in Frankfurt")

        entry = Entry.objects.get(verb="feed.epoch_began")
        assert entry.details["reason"] == "promoted the standby in Frankfurt"
        wait_until(lambda: gateway.epoch not in {"", before})
        assert refused_by(gateway, *LOST, "acct_good") == set(LOST)
        assert not LostDecision.objects.exists()
        block_over_the_api(*AFTER)
        wait_until(lambda: refused_by(gateway, *AFTER) == set(AFTER))
        assert "begins after change 3" in capsys.readouterr().out


def test_a_gateway_cannot_restrict_anybody_by_what_it_reports(front: Served) -> None:
    account("acct_1")
    held = {"number": 7, "kind": "block", "against": "account", "reason": "other", "names": {"account": ["acct_1"]}}
    body: dict[str, Any] = {"after": 0, "instance": "a", "wait": 0, "held_over": [held]}

    assert front.ask("/api/v1/access/changes", method="POST", body=body).status == 200
    front.front.telemetry.flush()

    assert front.check(account="acct_1")["decision"] == "allow"
    assert LostDecision.objects.get().target == "account acct_1"
    assert signed_in(person(role=Role.REVIEWER)).get("/enforcement/").status_code == 200
