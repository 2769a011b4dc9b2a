"""A process that keeps many connections raises its limit of open files, as far as it may."""

import resource
from collections.abc import Iterator

import pytest

from governance.platform.open_files import WANTED, allow_many_open_files


@pytest.fixture
def hard() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_low_limit_is_raised_and_a_high_one_stays(hard: int) -> None:
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))

    limits = []
    for _ in range(2):
        allow_many_open_files()
        limits.append(resource.getrlimit(resource.RLIMIT_NOFILE))

    assert limits == [(most, hard)] * 2
