"""What a gateway does with each answer of Stillwatch: of any release, wrong, cut off, or of another history."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch_gateway import Gateway
from stillwatch_gateway.epoch_changes import OLDER_SNAPSHOTS
from tests.stillwatch_gateway.feed import SECRET, Answer, Feed, changes_of, nothing_new, refused, signed, snapshot_of
from tests.waiting import PATIENCE, wait_until

CUT_OFF = snapshot_of(1)._replace(body=snapshot_of(1).body[:-5], length=len(snapshot_of(1).body))
LOST_2_AND_3: dict[str, Any] = {"epoch": "second", "lost_numbers": [[2, 3]], "settled_numbers": []}


class TestAnAnswer:
    def test_may_be_compressed(self, server: Feed, connect: Callable[..., Gateway]) -> None:
        server.snapshot = snapshot_of(1, 2, compressed=True)

        assert refused(connect(), 1, 2, 3) == [1, 2]

    def test_tells_who_asked_for_it_each_change(self, server: Feed, connect: Callable[..., Gateway]) -> None:
        sequences: list[int] = []
        server.snapshot = snapshot_of(1)

        gateway = connect(on_change=sequences.append)
        wait_until(lambda: sequences != [])

        assert (sequences[0], gateway.sequence, len(gateway)) == (1, 1, 1)

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            (snapshot_of(1)._replace(headers={}), "the signature is missing"),
            (snapshot_of(1)._replace(headers={"Stillwatch-Digest": "0" * 300}), "the signature is too long"),
            (snapshot_of(1)._replace(headers={"Stillwatch-Digest": "é"}), "the signature is too long"),
            (snapshot_of(1, format=2), "format 2 is not known"),
            (snapshot_of(1, sequence=0), "restriction 1 after 0 of 0"),
            (Answer(status=503), "Stillwatch answered 503"),
            (CUT_OFF, "the checksum does not fit"),
        ],
    )
    def test_that_is_wrong_is_not_taken_and_asked_for_again(
        self, server: Feed, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture, wrong: Answer, why: str
    ) -> None:
        server.snapshot = wrong
        gateway = connect(wait=0)
        wait_until(lambda: server.snapshots_taken > 1)
        assert len(gateway) == 0

        server.snapshot = snapshot_of(1)
        wait_until(lambda: refused(gateway, 1) == [1])

        assert why in caplog.text

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            (lambda report: changes_of(7, after=report["after"] + 1), "changes after 2, not 1"),
            (lambda report: changes_of(after=report["after"], epoch="third"), "changes of epoch third, not first"),
            (lambda _: Answer(status=410), "Stillwatch answered 410"),
            (lambda _: Answer(status=503), "Stillwatch answered 503"),
            (lambda report: changes_of(after=report["after"])._replace(length=9_999), "the message was cut off"),
        ],
    )
    def test_with_changes_that_do_not_follow_is_not_taken(
        self,
        server: Feed,
        connect: Callable[..., Gateway],
        caplog: pytest.LogCaptureFixture,
        wrong: Callable[[Any], Answer],
        why: str,
    ) -> None:
        server.snapshot = snapshot_of(1, epoch="first")
        gateway = connect()

        server.changes = wrong
        wait_until(lambda: why in caplog.text)
        server.changes = nothing_new
        before = len(server.reports)
        wait_until(lambda: len(server.reports) > before + 2)

        assert (gateway.sequence, gateway.epoch, refused(gateway, 1, 7)) == (1, "first", [1])

    def test_that_refuses_is_understood_where_it_is_cut_off(
        self, server: Feed, connect: Callable[..., Gateway]
    ) -> None:
        server.snapshot = snapshot_of(1)
        gateway = connect()

        server.snapshot = snapshot_of(1, 2)
        cut_off = Answer(status=410, length=9_999)
        server.changes = lambda report: cut_off if report["after"] == 1 else nothing_new(report)

        wait_until(lambda: refused(gateway, 1, 2) == [1, 2])

    def test_with_a_snapshot_does_not_say_how_old_it_is(self, server: Feed, connect: Callable[..., Gateway]) -> None:
        """Stillwatch may have made it before it lost its database."""
        server.snapshot = snapshot_of(1)
        server.changes = lambda report: changes_of(after=report["after"], age=3_600)

        gateway = connect()

        assert server.reports[0]["wait"] == 0  # it asks at once, and does not wait for news
        assert gateway.age >= 3_600

    def test_of_an_older_release_names_no_epoch_and_goes_on_by_the_numbers(
        self, server: Feed, connect: Callable[..., Gateway]
    ) -> None:
        server.snapshot = snapshot_of(1, epoch="first")
        server.changes = lambda report: changes_of(
            *([2] if report["after"] == 1 else []), after=report["after"], epoch=None
        )

        gateway = connect()
        wait_until(lambda: refused(gateway, 1, 2) == [1, 2])

        assert gateway.epoch == "first"

    def test_that_fails_whom_is_told_of_it_does_not_end_following(
        self, server: Feed, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture
    ) -> None:
        sequences: list[int] = []

        def fail_once(sequence: int) -> None:
            sequences.append(sequence)
            if len(sequences) == 1:
                raise ZeroDivisionError

        connect(on_change=fail_once)
        wait_until(lambda: len(sequences) > 2)

        assert "Following Stillwatch failed" in caplog.text

    def test_is_not_awaited_when_a_gateway_ends(
        self, server: Feed, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture
    ) -> None:
        gateway = connect()
        server.changes = lambda report: Answer(status=503) if report.get("is_ending") else nothing_new(report)

        gateway.close()

        assert server.reports[-1]["is_ending"] is True
        assert "Stillwatch does not know that this gateway ends: HttpStatusError" in caplog.text

    def test_is_awaited_by_no_process_that_ends_without_closing_its_gateway(self, server: Feed, tmp_path: Path) -> None:
        program = (
            "import sys; from stillwatch_gateway import Gateway, follower; follower.EXIT_SECONDS = 300; "
            "assert Gateway(*sys.argv[1:]).start(300)"
        )

        subprocess.run([sys.executable, "-c", program, server.url, SECRET, tmp_path], check=True, timeout=PATIENCE)

        assert any(report.get("is_ending") for report in server.reports)

    def test_with_what_cannot_be_read_is_logged_and_counted(
        self, server: Feed, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture
    ) -> None:
        server.snapshot = signed(snapshot_of(1).body.replace(b"bulk_harvest", b""))

        gateway = connect()

        assert (refused(gateway, 1), gateway.faults) == ([1], 1)
        assert "update this client. restriction 1: reason is no text" in caplog.text


class TestManyChanges:
    @pytest.mark.parametrize("limit", ["COMPACT_AT_CHANGES", "COMPACT_AT_BYTES"])
    def test_are_replaced_by_a_snapshot(
        self, server: Feed, connect: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch, limit: str
    ) -> None:
        monkeypatch.setattr(f"stillwatch_gateway.follower.{limit}", 0)
        server.changes = lambda report: changes_of(*([1] if report["after"] == 0 else []), after=report["after"])
        server.snapshot = snapshot_of()
        gateway = connect()
        server.snapshot = snapshot_of(1)

        wait_until(lambda: gateway.sequence == 1 and gateway._restricted.changes_since_snapshot == 0)

        assert refused(gateway, 1) == [1]


class TestAnOlderSnapshot:
    def test_is_taken_only_after_it_was_told_many_times(
        self, server: Feed, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture
    ) -> None:
        server.snapshot = snapshot_of(1, 2)
        gateway = connect()

        server.snapshot = snapshot_of(1)
        server.changes = lambda report: Answer(status=410) if report["after"] == 2 else nothing_new(report)
        wait_until(lambda: gateway.sequence == 1)

        assert caplog.text.count("a snapshot of 1 is older than 2") == OLDER_SNAPSHOTS
        assert refused(gateway, 1, 2) == [1, 2]  # what is missing in it counts as lost


class TestAHistoryThatWentBack:
    def begin_second_epoch(self, server: Feed, gateway: Gateway) -> None:
        server.snapshot = snapshot_of(1, sequence=1_000_001, **LOST_2_AND_3)
        server.changes = lambda report: (
            changes_of(after=report["after"], **LOST_2_AND_3) if report["epoch"] == "second" else Answer(status=410)
        )
        wait_until(lambda: gateway.epoch == "second" and server.reports[-1]["epoch"] == "second")

    def test_lets_nobody_in_and_reports_what_was_lost(
        self, server: Feed, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture
    ) -> None:
        server.snapshot = snapshot_of(1, 2, 3, epoch="first")
        gateway = connect()

        self.begin_second_epoch(server, gateway)

        assert refused(gateway, 1, 2, 3, 4) == [1, 2, 3]
        wait_until(lambda: len(server.reports[-1]["held_over"]) == 2)
        held = server.reports[-1]["held_over"][0]
        assert held == {
            "number": 2,
            "kind": "block",
            "against": "account",
            "reason": "bulk_harvest",
            "from": "2026-11-02T09:14:00+00:00",
            "until": None,
            "requests_per_minute": None,
            "tokens_per_minute": None,
            "withheld": [],
            "names": {"organisation": [], "account": ["acct_2"], "key": ["key_2"], "digest": []},
        }
        assert "2 restrictions that were known here are gone there" in caplog.text

    def test_is_known_after_a_restart_without_stillwatch(self, server: Feed, connect: Callable[..., Gateway]) -> None:
        server.snapshot = snapshot_of(1, 2, 3, epoch="first")
        gateway = connect()
        self.begin_second_epoch(server, gateway)
        gateway.close()
        server.snapshot, server.changes = Answer(status=503), lambda _: Answer(status=503)

        again = connect(wait=0)

        assert refused(again, 1, 2, 3, 4) == [1, 2, 3]
        assert [one["names"]["key"] for one in again._report(wait=0)["held_over"]] == [["key_2"], ["key_3"]]

    def test_is_over_once_all_is_settled(self, server: Feed, connect: Callable[..., Gateway], tmp_path: Path) -> None:
        server.snapshot = snapshot_of(1, 2, 3, epoch="first")
        gateway = connect()
        self.begin_second_epoch(server, gateway)
        assert list((tmp_path / "kept").glob("held-*"))

        settled = LOST_2_AND_3 | {"settled_numbers": [[2, 2]]}
        server.changes = lambda report: changes_of(after=report["after"], **settled)
        wait_until(lambda: refused(gateway, 1, 2, 3) == [1, 3])
        settled["settled_numbers"] = [[2, 3]]
        wait_until(lambda: refused(gateway, 1, 2, 3) == [1])

        wait_until(lambda: not list((tmp_path / "kept").glob("held-*")))
        wait_until(lambda: server.reports[-1]["held_over"] == [])

    def test_without_anything_lost_holds_nothing_over(
        self, server: Feed, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        server.snapshot = snapshot_of(1, epoch="first")
        gateway = connect()

        self.begin_second_epoch(server, gateway)

        assert refused(gateway, 1, 2) == [1]
        assert "are gone there" not in caplog.text
        assert not list((tmp_path / "kept").glob("held-*"))

    def test_in_a_process_that_keeps_nothing_is_held_in_memory(
        self, server: Feed, connect: Callable[..., Gateway], tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("no folder can be here")
        server.snapshot = snapshot_of(1, 2, 3, epoch="first")
        gateway = connect(folder="file")

        self.begin_second_epoch(server, gateway)

        assert refused(gateway, 1, 2, 3) == [1, 2, 3]
