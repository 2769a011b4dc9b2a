"""Whether the disk that holds the embedded servers' data is nearly full."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

WARNING_PERCENT: Final = 10
GRAVE_PERCENT: Final = 2


class Shortage(NamedTuple):
    """`percent` of the file system of `folder` is free; `is_grave`: so little that it may be full within minutes."""

    folder: Path
    percent: float
    is_grave: bool


def find_shortage(folders: Iterable[Path]) -> Shortage | None:
    """Return the fullest file system of these folders if it is nearly full; None if all have enough space."""
    usages = ((folder, shutil.disk_usage(folder)) for folder in folders if folder.exists())
    left = [(100 * usage.free / max(usage.total, 1), folder) for folder, usage in usages]
    if not left or (least := min(left))[0] >= WARNING_PERCENT:
        return None
    percent, folder = least
    return Shortage(folder, percent, is_grave=percent < GRAVE_PERCENT)


def find_installation_shortage(data: Path) -> Shortage | None:
    """Return the shortage of a data folder. Under root the servers' folder may be a link to another file system."""
    return find_shortage([data, (data / "servers").resolve()])
