"""The client's copy on disk: damaged, missing, in the way or on a full disk. It is said loudly, heals, and lets nobody
in whom the operator would not.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from stillwatch_gateway import Gateway
from stillwatch_gateway.disk import SnapshotStore
from stillwatch_gateway.moments import BOOT, Moment, read_moment
from tests.factories import account, person, restriction
from tests.front import Served, served
from tests.review.pages import signed_in
from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served(closed_plans=("free",)) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def connect(folder: Path) -> Iterator[Callable[..., Gateway]]:
    with ExitStack() as stack:

        def started(front: Served, *, wait: float = PATIENCE, **options: Any) -> Gateway:
            gateway = Gateway(front.url, front.secret, folder, instance="a", **options)
            stack.callback(gateway.close)
            gateway.start(wait)
            return gateway

        yield started


def block(name: str) -> None:
    restriction(account(name), at=timezone.now())


def unreachable(front: Served) -> Served:
    front.url = f"http://127.0.0.1:{free_port()}"
    return front


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


class TestAge:
    def test_counts_from_before_a_restart(self, front: Served, connect: Callable[..., Gateway], folder: Path) -> None:
        connect(front).close()
        confirmed = folder / "confirmed"
        first, _, rest = confirmed.read_text().partition("\n")
        moment = read_moment(first)
        assert moment is not None
        hour_ago = Moment(moment.wall - 3600, moment.running - 3600, BOOT)
        confirmed.write_text(f"{hour_ago.text()}\n{rest}")

        gateway = connect(unreachable(front), wait=0.1)

        assert 3600 <= gateway.age < inf
        assert not gateway.decide(account="acct_1", plan="free").allowed

    def test_is_not_known_where_nothing_says(
        self, front: Served, connect: Callable[..., Gateway], folder: Path
    ) -> None:
        connect(front).close()
        (folder / "confirmed").unlink()

        assert connect(unreachable(front), wait=0.1).age == inf

    def test_includes_for_how_long_stillwatch_itself_had_not_looked(
        self, front: Served, connect: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway = connect(front)
        replica = front.front.replica
        monkeypatch.setattr(type(replica), "age", property(lambda _: 500.0))

        wait_until(lambda: gateway.age >= 500)

    @pytest.mark.parametrize(
        ("later", "least"),
        [
            (Moment(1_000.0, 90.0, "a"), 80.0),  # the wall clock stood still or was set back
            (Moment(1_900.0, 11.0, "a"), 900.0),  # the other clock does not count sleep
            (Moment(1_900.0, 5.0, "b"), 900.0),  # the machine was started again
            (Moment(900.0, 5.0, "b"), inf),  # and its clock was set back
        ],
    )
    def test_is_never_less_than_any_clock_can_tell(self, later: Moment, least: float) -> None:
        assert Moment(1_000.0, 10.0, "a").seconds_until(later) == least

    def test_goes_on_while_the_machine_sleeps(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        gateway = Gateway("http://127.0.0.1:1", "swk_x", tmp_path)
        gateway._now_known(Moment.now(), 0.0, frozenset())
        now = time.time()
        monkeypatch.setattr("stillwatch_gateway.client.time.time", lambda: now + 7200)

        assert gateway.age >= 7200
