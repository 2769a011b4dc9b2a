"""A real nginx and a real Envoy as processes of their own, configured as docs/gateways.md says."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gateways import documented
from tests.gateways.process import running
from tests.servers import free_port


def program(name: str) -> str:
    places = [str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed")
    assert found is not None, f"{name} is not installed"
    return found


@contextmanager
def nginx(folder: Path, *, upstream: int, stillwatch: int, key: str) -> Iterator[int]:
    """The port at which customers are served."""
    port, file = free_port(), folder / "nginx.conf"
    file.write_text(documented.nginx(port=port, upstream=upstream, stillwatch=stillwatch, key=key))
    options = ["-p", f"{folder}/", "-c", str(file), "-g", "daemon off; master_process off;"]
    with running([program("nginx"), *options], port, folder):
        yield port


@contextmanager
def envoy(folder: Path, *, upstream: int, stillwatch: int, key: str) -> Iterator[int]:
    """The port at which customers are served."""
    port, file = free_port(), folder / "envoy.yaml"
    file.write_text(documented.envoy(port=port, upstream=upstream, stillwatch=stillwatch, key=key))
    options = ["--config-path", str(file), "--concurrency", "1", "--log-level", "error", "--base-id", str(port)]
    with running([program("envoy"), *options], port, folder):
        yield port


PROXIES = {"nginx": nginx, "envoy": envoy}
