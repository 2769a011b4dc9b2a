"""The feed: a snapshot and the changes after it, by polling and as a stream."""

import gzip
import json
from http.client import HTTPConnection
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from governance.gateways.check.feed import changes_body
from governance.gateways.check.sql import StoredChange
from governance.gateways.models import Refusal
from governance.restrictions.actions import lift
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.messages import read_changes, read_snapshot, signing_key
from stillwatch_gateway.signed import verify_body
from tests.factories import MACHINE, account, restriction
from tests.front import Said, Served, served
from tests.waiting import PATIENCE

SNAPSHOT, CHANGES = "/api/v1/access/snapshot", "/api/v1/access/changes"


def block(name: str) -> Any:
    return restriction(account(name), at=timezone.now())


def trusted(front: Served, said: Said) -> bytes:
    """The body, once its signature was checked. Raises BadMessageError."""
    body = gzip.decompress(said.body) if said.headers.get("content-encoding") == "gzip" else said.body
    verify_body(
        body, said.headers.get("stillwatch-digest"), said.headers["stillwatch-signature"], signing_key(front.secret)
    )
    return body


class TestTheSnapshot:
    def test_holds_what_is_in_force_and_says_up_to_where(self, front: Served) -> None:
        first, _ = block("acct_1"), block("acct_2")
        lift(first, note="a mistake", by=MACHINE, now=timezone.now())
        front.knows(3)

        head, entries = read_snapshot(trusted(front, front.ask(SNAPSHOT)).splitlines())

        assert (head.sequence, head.size) == (3, 1)
        assert [entry.names for entry in entries] == [("account:acct_2",)]

    def test_is_sent_once_to_whoever_has_it(self, front: Served) -> None:
        block("acct_1")
        front.knows(1)
        tag = front.ask(SNAPSHOT).headers["etag"]

        assert front.ask(SNAPSHOT, if_none_match=tag).status == 304

    def test_is_zipped_for_whoever_can_read_that(self, front: Served) -> None:
        block("acct_1")
        front.knows(1)

        said = front.ask(SNAPSHOT, accept_encoding="gzip")

        assert said.headers["content-encoding"] == "gzip"
        assert b"acct_1" in trusted(front, said)

    def test_is_zipped_in_pieces_where_it_is_large(self, front: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.gateways.check.feed.ZIPPED_AT_ONCE", 100)
        for name in ("acct_1", "acct_2"):
            block(name)
        front.knows(2)

        said = front.ask(SNAPSHOT, accept_encoding="gzip")

        _, entries = read_snapshot(trusted(front, said).splitlines())
        assert [entry.names for entry in entries] == [("account:acct_1",), ("account:acct_2",)]
        assert said.body.count(gzip.compress(b"")[:4]) >= 3

    def test_is_none_that_lacks_what_was_announced(self, front: Served) -> None:
        """As long as the database has gone back and no new epoch has begun: gateways keep what they have."""
        front.front.replica.announced = 7

        assert front.ask(SNAPSHOT).status == 503

    def test_is_not_for_everybody(self, front: Served) -> None:
        assert front.ask(SNAPSHOT, key="").status == 401
        assert front.ask(SNAPSHOT, method="POST", body={}).status == 405


class TestChanges:
    def test_are_those_after_the_one_that_is_named(self, front: Served) -> None:
        first = block("acct_1")
        block("acct_2")
        lift(first, note="a mistake", by=MACHINE, now=timezone.now())
        front.knows(3)

        changes = read_changes(trusted(front, front.ask(f"{CHANGES}?after=1&wait=1")))

        assert (changes.after, changes.sequence) == (1, 3)
        assert [(number, ended) for number, _, ended in changes.changes] == [(2, None), (3, 1)]

    def test_are_zipped_where_there_are_many_for_whoever_can_read_that(
        self, front: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.gateways.check.feed.SMALLEST_ZIPPED", 400)
        for name in ("acct_1", "acct_2"):
            block(name)
        front.knows(2)

        few, many, plain = (
            front.ask(f"{CHANGES}?after={after}&wait=0", accept_encoding=encoding)
            for after, encoding in ((2, "gzip"), (0, "gzip"), (0, "identity"))
        )

        assert [said.headers.get("content-encoding") for said in (few, many, plain)] == [None, "gzip", None]
        assert [read_changes(trusted(front, said)).sequence for said in (few, many, plain)] == [2, 2, 2]

    def test_are_none_when_nothing_comes_in_time(self, front: Served) -> None:
        assert read_changes(trusted(front, front.ask(f"{CHANGES}?after=0&wait=0"))).changes == []

    def test_from_before_a_process_started_are_told_by_it_too(self, front: Served) -> None:
        block("acct_1")
        front.knows(1)

        with served() as later:
            assert read_changes(later.ask(f"{CHANGES}?after=0&wait=0").body).sequence == 1

    def test_that_are_too_long_ago_are_gone(self, front: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        block("acct_1")
        block("acct_2")
        monkeypatch.setattr("governance.gateways.check.replica.REMEMBERED", 1)

        with served() as later:
            assert later.ask(f"{CHANGES}?after=0&wait=0").status == 410
            assert later.ask(f"{CHANGES}?after=1&wait=0").status == 200

    def test_that_have_not_happened_are_gone(self, front: Served) -> None:
        assert front.ask(f"{CHANGES}?after=7&wait=0").status == 410

    def test_need_a_number(self, front: Served) -> None:
        assert front.ask(CHANGES).status == 400
        assert front.ask(f"{CHANGES}?after=x").status == 400
        assert front.ask(f"{CHANGES}?after=0&epoch={'e' * 65}").status == 400
        assert front.ask(CHANGES, method="POST", body={"after": -1}).status == 400

    REFUSED = {"number": 1, "first": 1.0, "last": 2.0, "count": 1}

    @pytest.mark.parametrize(
        "reported",
        [
            {"instance": "a\0"},
            {"instance": "a\n"},
            {"faults": -1},
            {"faults": 10**30},
            {"after": 2**63},
            {"refusals": [REFUSED | {"number": 2**63}]},
            {"refusals": [REFUSED | {"number": -1}]},
            {"refusals": [REFUSED | {"number": 0}]},
            {"refusals": [REFUSED | {"count": 10**30}]},
            {"refusals": [REFUSED | {"count": -7}]},
            {"refusals": [REFUSED | {"count": 0}]},
            {"refusals": [REFUSED | {"first": 1e300}]},
            {"refusals": [REFUSED | {"first": -1e11}]},
            {"refusals": [REFUSED | {"last": -1e13}]},
            {"store_problem": "The disk is full.\nIt is."},
        ],
        ids=str,
    )
    def test_refuse_a_report_that_cannot_be_and_go_on_with_the_proof(self, front: Served, reported: Any) -> None:
        number = block("acct_1").number
        front.knows(number)

        said = front.ask(CHANGES, method="POST", body={"after": 0, "wait": 0, "instance": "a"} | reported)
        front.check(account="acct_1")
        front.front.telemetry.flush()

        assert (said.status, said.headers["content-type"]) == (400, "application/problem+json")
        assert Refusal.objects.get(restriction=number).count == 1

    def test_take_times_of_a_clock_that_was_set_back(self, front: Served) -> None:
        number = block("acct_1").number
        front.knows(number)
        refused = self.REFUSED | {"number": number, "first": 9.0, "last": 8.0}

        front.ask(CHANGES, method="POST", body={"after": number, "wait": 0, "instance": "a", "refusals": [refused]})
        front.front.telemetry.flush()

        refusal = Refusal.objects.get()
        assert (refusal.first_at.timestamp(), refusal.last_at.timestamp()) == (8.0, 9.0)


class TestAnOpenLine:
    def test_tells_changes_as_they_happen_each_with_its_signature(self, front: Served) -> None:
        caller = HTTPConnection("127.0.0.1", front.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {front.secret}", "Accept": "text/event-stream"}
        caller.request("GET", f"{CHANGES}?after=0", headers=headers)
        answer = caller.getresponse()
        numbers = []
        for name in ("acct_1", "acct_2"):
            block(name)
            event: list[bytes] = []
            while not event or event[-1] != b"\n":
                line = answer.readline()
                event += [line] if event or line.startswith(b"event:") else []
            body, signature = (line.removeprefix(b"data: ").strip() for line in event if line.startswith(b"data: "))
            numbers.append(json.loads(body)["sequence"])
            assert len(signature) == 64
        caller.close()

        assert numbers == [1, 2]

    def test_says_when_a_reader_has_to_begin_anew(self, front: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.gateways.check.replica.REMEMBERED", 1)
        with served() as later:
            later.front.replica.wait_until_loaded(PATIENCE)
            caller = HTTPConnection("127.0.0.1", later.port, timeout=PATIENCE)
            headers = {"Authorization": f"Bearer {later.secret}", "Accept": "text/event-stream"}
            caller.request("GET", f"{CHANGES}?after=0", headers=headers)
            answer = caller.getresponse()
            with transaction.atomic():
                for name in ("acct_1", "acct_2"):
                    block(name)
            said = answer.read()
            caller.close()

        assert b"event: gone" in said
        assert b"event: changes" not in said


def test_a_message_never_leaves_a_change_out() -> None:
    changes = [StoredChange(number, number, None, timezone.now()) for number in (1, 3)]

    with pytest.raises(ValueError, match="not all changes after 0 up to 3"):
        changes_body(0, 3, changes, [], epoch=Epoch(), age=0)
