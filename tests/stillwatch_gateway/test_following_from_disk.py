"""What a gateway keeps on disk, whatever Stillwatch answers: of no use, in part, or no longer taken by the disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stillwatch_gateway import Gateway
from stillwatch_gateway.moments import BOOT
from tests.stillwatch_gateway.feed import Answer, Feed, changes_of, nothing_new, refused, snapshot_of
from tests.waiting import wait_until


class TestWhatIsKept:
    def test_without_a_word_of_when_it_was_the_newest_is_used_but_of_no_known_age(
        self, server: Feed, connect: Callable[..., Gateway], tmp_path: Path
    ) -> None:
        server.snapshot = snapshot_of(1, fail_closed_plans=["free"])
        connect().close()
        server.snapshot, server.changes = Answer(status=503), lambda _: Answer(status=503)

        damaged = ["", "x y z\n[]", "1.0 1.0 boot\n{}", "1.0 1.0 boot\nfree", f"1.0 1.0 boot\n{'[' * 100_000}"]
        no_past = [f"{time} {time} {boot}\n[]" for time in ("nan", "inf", "9e9") for boot in (BOOT, "boot")]
        for content in (*damaged, *no_past):
            (tmp_path / "kept" / "confirmed").write_text(content)
            gateway = connect(wait=0)
            assert refused(gateway, 1, 2) == [1]
            assert gateway.age == float("inf")
            assert not gateway.decide(account="acct_2", plan="free").allowed
            gateway.close()

    def test_is_said_to_be_older_where_it_cannot_be_read_whole(
        self, server: Feed, connect: Callable[..., Gateway], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.snapshot = snapshot_of(1)
        connect().close()
        server.snapshot, server.changes = Answer(status=503), lambda _: Answer(status=503)
        lock = tmp_path / "kept" / "lock"
        lock.unlink()
        lock.symlink_to(lock)

        gateway = connect(wait=0)

        assert refused(gateway, 1, 2) == [1]
        assert "What is known may be older than it was" in caplog.text

    def test_says_that_everybody_is_refused_where_nothing_is_known_and_that_is_set(
        self, server: Feed, connect: Callable[..., Gateway], caplog: pytest.LogCaptureFixture
    ) -> None:
        server.snapshot = Answer(status=503)

        connect(wait=0, fail_closed=True)

        assert "everybody is refused, as fail_closed says" in caplog.text

    def test_goes_on_in_memory_where_a_snapshot_cannot_take_the_place_of_the_one_before(
        self, server: Feed, connect: Callable[..., Gateway], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.snapshot = snapshot_of()
        gateway = connect()
        changes = tmp_path / "kept" / "changes"
        changes.unlink()
        changes.symlink_to(changes)
        server.snapshot = snapshot_of(1)
        server.changes = lambda report: Answer(status=410) if report["after"] == 0 else nothing_new(report)

        wait_until(lambda: refused(gateway, 1) == [1])

        wait_until(lambda: "The disk did not take what was to be kept: Too many levels" in caplog.text)

    def test_goes_on_in_memory_where_a_change_cannot_be_added(
        self, server: Feed, connect: Callable[..., Gateway], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.snapshot = snapshot_of()
        gateway = connect()
        changes = tmp_path / "kept" / "changes"
        changes.unlink()
        changes.symlink_to(changes)
        server.changes = lambda report: changes_of(*([1] if report["after"] == 0 else []), after=report["after"])

        wait_until(lambda: refused(gateway, 1) == [1])

        wait_until(lambda: "The disk did not take what was to be kept: Too many levels" in caplog.text)

    def test_is_not_written_where_the_disk_takes_no_snapshot(
        self, server: Feed, connect: Callable[..., Gateway], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.snapshot = snapshot_of()
        gateway = connect()
        (tmp_path / "kept" / "snapshot").unlink()
        for file in (tmp_path / "kept").glob("*"):
            file.unlink()
        (tmp_path / "kept").rmdir()
        server.snapshot = snapshot_of(1)
        server.changes = lambda report: Answer(status=410) if report["after"] == 0 else nothing_new(report)

        wait_until(lambda: refused(gateway, 1) == [1])

        assert "The disk did not take what was to be kept: No such file or directory" in caplog.text
        wait_until(lambda: server.reports[-1]["store_problem"] == gateway.store_problem != "")

    def test_by_another_process_is_that_ones_to_heal(
        self, server: Feed, connect: Callable[..., Gateway], tmp_path: Path
    ) -> None:
        server.snapshot = snapshot_of(1)
        connect()
        (tmp_path / "kept" / "snapshot").write_text("damaged")

        reader = connect()

        wait_until(lambda: refused(reader, 1) == [1])
        wait_until(lambda: reader.store_problem == "")
