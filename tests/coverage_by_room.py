"""Print which share of its branches the tests take, by room, and fail where that is too little: `make coverage`.

Read from the data of the last run with coverage. A room is a folder of the design; a file belongs to the first of
COMPLETE that its path begins with, else to the folder below `governance/`.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, Final, NamedTuple

LEAST: Final = 95.0
# A wrong line here blocks a customer, misses a harvest or breaks the record. Everything is covered.
COMPLETE: Final = (
    "governance/detection/detectors",
    "governance/detection/scoring.py",
    "governance/restrictions",
    "governance/audit",
    "stillwatch_gateway",
)


class Room(NamedTuple):
    """How many branches a room has and how many of them the tests take, and how many of its lines they do not run."""

    files: int = 0
    lines: int = 0
    not_run: int = 0
    branches: int = 0
    taken: int = 0

    def with_file(self, summary: dict[str, Any]) -> "Room":
        return Room(
            self.files + 1,
            self.lines + summary["num_statements"],
            self.not_run + summary["missing_lines"],
            self.branches + summary["num_branches"],
            self.taken + summary["covered_branches"],
        )

    @property
    def percent(self) -> float:
        return 100.0 * self.taken / self.branches if self.branches else 100.0


def room_of(path: str) -> str:
    for name in COMPLETE:
        if path.startswith(name):
            return name
    parts = Path(path).parts
    return "/".join(parts[:2]) if parts[0] == "governance" and len(parts) > 2 else parts[0]


def measured() -> tuple[dict[str, Room], dict[str, list[int]]]:
    """The rooms by name, and by file which lines of those that ought to be complete are not run or not in every way."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", report], check=True)
        files = json.loads(report.read_text())["files"]
    rooms: dict[str, Room] = defaultdict(Room)
    left: dict[str, list[int]] = {}
    for path, found in sorted(files.items()):
        name = room_of(path)
        rooms[name] = rooms[name].with_file(found["summary"])
        lines = sorted({*found["missing_lines"], *(start for start, _ in found["missing_branches"])})
        if lines and name in COMPLETE:
            left[path] = lines
    return rooms, left


def main() -> int:
    rooms, left = measured()
    whole = Room(*(sum(column) for column in zip(*rooms.values(), strict=True)))
    print(f"{'room':<36}{'files':>6}{'lines':>8}{'not run':>9}{'branches':>10}{'taken':>8}")  # noqa: T201 - it is the report
    for name, room in [*sorted(rooms.items()), ("all", whole)]:
        print(  # noqa: T201
            f"{name:<36}{room.files:>6}{room.lines:>8}{room.not_run:>9}{room.branches:>10}{room.percent:>7.1f}%"
        )
    for path, lines in left.items():
        print(f"{path}: lines {', '.join(map(str, lines))}")  # noqa: T201
    below = [f"{name} (100 % and every line)" for name in sorted({room_of(path) for path in left})]
    if whole.percent < LEAST:
        below.append(f"all ({LEAST:.0f} %)")
    if below:
        print(f"Too little is covered, wanted: {', '.join(below)}", file=sys.stderr)  # noqa: T201
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
