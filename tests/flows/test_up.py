import fcntl
import signal
import socket
from pathlib import Path

import pytest

from tests.flows.running_up import Up, data, health, left_of
from tests.servers import free_port

__all__ = ["data"]  # a fixture


class TestUp:
    @pytest.mark.long
    def test_serves_until_ctrl_c_which_leaves_nothing_running(self, data: Path) -> None:
        up = Up(data, free_port())

        up.wait_until_ready()
        answer = health(up.port)
        family = up.family()
        status = up.end(signal.SIGINT)

        assert answer == 200
        assert len(family) > 4
        assert left_of(family) == []
        assert up.at_work() == []
        assert status == 0
        assert f"\nready: http://127.0.0.1:{up.port}/\n" in up.said
        assert "Traceback" not in up.said

    @pytest.mark.long
    def test_goes_on_after_a_hard_kill_with_what_there_was(self, data: Path) -> None:
        first = Up(data, free_port())
        first.wait_until_ready()
        family = first.family()
        first.end(signal.SIGKILL)

        second = Up(data, first.port)
        second.wait_until_ready()
        family += second.family()
        status = second.end(signal.SIGTERM)

        assert len(second.sign_ins()) == 3
        assert second.sign_ins() == first.sign_ins()
        assert "Loaded the demonstration" not in second.said
        assert status == 0
        assert left_of(family) == []
        assert second.at_work() == []


class TestUpRefuses:
    def test_a_port_in_use(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            up = Up(data, taken.getsockname()[1])
            status = up.wait()

        assert status == 1
        assert up.said.count("\n") == 1
        assert f"port {up.port} cannot be used (Address already in use)" in up.said

    def test_a_data_folder_that_another_one_uses(self, data: Path) -> None:
        with (data / "up.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            up = Up(data, free_port())
            status = up.wait()

        assert status == 1
        assert up.said.count("\n") == 1
        assert f"already runs in {data}" in up.said

    def test_a_data_folder_that_is_none(self, data: Path) -> None:
        (data / "file").touch()

        up = Up(data / "file", free_port())
        status = up.wait()

        assert (status, up.said) == (1, f"stillwatch: File exists: {data / 'file'}\n")
