"""Connections are open files, of which a process may have 1,024 by default on many systems."""

import resource
from typing import Final

WANTED: Final = 65_536


def allow_many_open_files() -> None:
    """Raise the limit of this process as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
