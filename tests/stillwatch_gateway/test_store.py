"""The client's copy on disk: damaged, missing, in the way or on a full disk. It is said loudly, heals, and lets nobody
in whom the operator would not.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from stillwatch_gateway import Gateway
from stillwatch_gateway.disk import SnapshotStore
from tests.factories import person
from tests.front import Served
from tests.review.pages import signed_in
from tests.stillwatch_gateway.clients import block, connect, folder, front, unreachable
from tests.waiting import wait_until

__all__ = ["connect", "folder", "front"]  # fixtures


def damage(folder: Path) -> None:
    snapshot = folder / "snapshot"
    snapshot.write_bytes(snapshot.read_bytes()[:-7] + b"damaged")


def remove(folder: Path) -> None:
    (folder / "snapshot").unlink()


def put_a_folder_there(folder: Path) -> None:
    (folder / "snapshot").unlink()
    (folder / "snapshot").mkdir()
    (folder / "snapshot" / "something").write_text("of somebody's")


BROKEN = [damage, remove, put_a_folder_there]


class TestACopyThatIsOfNoUse:
    @pytest.mark.parametrize("breaks", BROKEN)
    def test_is_said_loudly_while_stillwatch_is_away(
        self,
        front: Served,
        connect: Callable[..., Gateway],
        folder: Path,
        breaks: Callable[[Path], None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        block("acct_1")
        connect(front).close()
        breaks(folder)

        gateway = connect(unreachable(front), wait=0.1)

        [said] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert "Nothing is known, and Stillwatch is not reached: restricted customers are let in" in said
        assert "plans that fail closed (free)" in said  # known from beside the copy
        assert gateway.store_problem
        assert gateway.decide(account="acct_1").allowed

    @pytest.mark.parametrize("breaks", BROKEN)
    def test_refuses_plans_that_fail_closed_and_everybody_where_that_is_set(
        self, front: Served, connect: Callable[..., Gateway], folder: Path, breaks: Callable[[Path], None]
    ) -> None:
        block("acct_1")
        connect(front).close()
        breaks(folder)
        unreachable(front)

        by_server = connect(front, wait=0.1, patience=0.0)
        assert not by_server.decide(account="acct_1", plan="free").allowed
        by_server.close()
        own = connect(front, wait=0.1, fail_closed_plans=["trial"])
        (folder / "confirmed").unlink()
        assert not own.decide(account="acct_1", plan="trial").allowed
        assert own.decide(account="acct_1", plan="enterprise").allowed or own.age < 60
        own.close()
        everybody = connect(front, wait=0.1, fail_closed=True)
        decision = everybody.decide(account="acct_1")
        assert (decision.allowed, decision.because) == (False, "stillwatch cannot be reached")

    @pytest.mark.parametrize("breaks", BROKEN)
    def test_heals_once_stillwatch_is_reached(
        self, front: Served, connect: Callable[..., Gateway], folder: Path, breaks: Callable[[Path], None]
    ) -> None:
        block("acct_1")
        connect(front).close()
        breaks(folder)

        connect(front).close()

        assert not connect(unreachable(front), wait=0.1).decide(account="acct_1").allowed

    def test_in_the_place_of_a_folder_leaves_the_gateway_in_memory_and_is_reported(
        self, front: Served, connect: Callable[..., Gateway], folder: Path
    ) -> None:
        folder.write_text("a file")
        gateway = connect(front)
        block("acct_1")
        wait_until(lambda: not gateway.decide(account="acct_1").allowed)

        staff = signed_in(person())

        def page() -> str:
            return staff.get("/enforcement/").content.decode()

        def is_shown() -> bool:
            gateway.cut()  # it reports with its next question
            front.front.telemetry.flush()
            return "The copy on disk is unusable at a" in page()

        wait_until(is_shown, "the page says that the copy on disk is of no use")
        assert "The folder cannot be used" in page()

    @pytest.mark.parametrize("file", ["snapshot", "changes", "lock", "confirmed"])
    def test_a_folder_where_a_file_should_be_makes_place(
        self, front: Served, connect: Callable[..., Gateway], folder: Path, file: str
    ) -> None:
        (folder / file / "inside").mkdir(parents=True)

        gateway = connect(front)
        block("acct_1")
        wait_until(lambda: not gateway.decide(account="acct_1").allowed)

        assert gateway.store_problem == ""
        assert (folder / file).is_file()
        assert len(list(folder.glob(f"{file}.moved-away-*/inside"))) == 1


class TestACopyThatWasCutOff:
    """By a process that was ended while it wrote."""

    def test_is_kept_up_again_from_a_snapshot(
        self, front: Served, connect: Callable[..., Gateway], folder: Path
    ) -> None:
        block("acct_0")
        gateway = connect(front)
        block("acct_1")
        wait_until(lambda: not gateway.decide(account="acct_1").allowed)
        gateway.close()
        changes = folder / "changes"
        changes.write_bytes(changes.read_bytes()[:-9])
        gateway = connect(front)
        block("acct_2")
        wait_until(lambda: not gateway.decide(account="acct_2").allowed)
        gateway.close()

        again = connect(unreachable(front), wait=0.1)

        assert not again.decide(account="acct_1").allowed
        assert not again.decide(account="acct_2").allowed
        assert again.faults == 0


class TestACopyThatProcessesShare:
    def test_is_kept_up_by_another_when_the_one_that_wrote_it_ends(
        self, front: Served, connect: Callable[..., Gateway], folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stillwatch_gateway.disk.LOCK_TRIED_EVERY", 0.0)
        block("acct_before")
        writes, reads = connect(front), connect(front)
        writes.close()
        reads.cut()  # so that it tries before the next change
        wait_until(lambda: reads._store is not None and reads._store.writes, "it has taken the place of the other")
        block("acct_after")
        wait_until(lambda: b"acct_after" in (folder / "changes").read_bytes() + (folder / "snapshot").read_bytes())
        reads.close()

        again = connect(unreachable(front), wait=0.1)

        assert not again.decide(account="acct_before").allowed
        assert not again.decide(account="acct_after").allowed


class TestADiskThatTakesNothing:
    def test_leaves_the_gateway_in_memory_and_heals(
        self,
        front: Served,
        connect: Callable[..., Gateway],
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr("stillwatch_gateway.disk.TRIED_EVERY", 0.0)
        gateway = connect(front)
        (folder / "changes").unlink()
        (folder / "changes").mkdir()  # an append fails, as on a full disk

        block("acct_1")
        wait_until(lambda: not gateway.decide(account="acct_1").allowed)
        wait_until(lambda: "The disk did not take what was to be kept" in caplog.text)
        wait_until(lambda: gateway.store_problem == "")
        gateway.close()

        assert not connect(unreachable(front), wait=0.1).decide(account="acct_1").allowed

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_that_is_full_keeps_what_it_had(self, front: Served, connect: Callable[..., Gateway], folder: Path) -> None:
        gateway = connect(front)
        (folder / "changes").unlink()
        (folder / "changes").symlink_to("/dev/full")

        block("acct_1")
        wait_until(lambda: not gateway.decide(account="acct_1").allowed)
        wait_until(lambda: gateway.store_problem != "")
        gateway.close()

        store = SnapshotStore(folder, gateway._key)
        store.close()
        assert store.load() is not None
