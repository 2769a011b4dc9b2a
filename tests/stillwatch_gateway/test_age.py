"""How old what a gateway knows is: by any of its clocks, across restarts and while the machine sleeps."""

import time
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest

from stillwatch_gateway import Gateway
from stillwatch_gateway.moments import BOOT, Moment, read_moment
from tests.front import Served
from tests.stillwatch_gateway.clients import connect, folder, front, unreachable
from tests.waiting import wait_until

__all__ = ["connect", "folder", "front"]  # fixtures


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
