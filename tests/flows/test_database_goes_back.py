"""A database that goes back in time beside running web processes: nobody who was refused is let in, and what was lost
is listed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from governance.audit.models import Entry
from governance.gateways.models import GatewayInstance, LostDecision
from governance.restrictions.actions import lift
from governance.restrictions.models import FeedEpoch, Restriction
from stillwatch_gateway import Gateway
from tests.factories import MACHINE, account, api_key, person, restriction
from tests.flows.going_back import remember_database
from tests.flows.restores import (
    AFTER,
    LOST,
    block_over_the_api,
    connect,
    front,
    has_begun_an_epoch,
    refused_by,
    refused_by_check,
    words,
)
from tests.front import Served, served
from tests.review.pages import signed_in
from tests.waiting import wait_until

__all__ = ["connect", "front"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)
DAYS = timedelta(days=2)


def refused_by_nginx(front: Served, *names: str) -> set[str]:
    headers = {"x_stillwatch_key": front.secret}
    return {name for name in names if front.ask("/access/nginx", x_stillwatch_account=name, **headers).status == 403}


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
