"""`make coverage` prints the share of each room's branches that tests take, and fails below what is asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.coverage_by_room import COMPLETE, Room, room_of


@pytest.mark.long
def test_prints_a_row_for_each_room_and_fails_where_too_little_is_covered(tmp_path: Path) -> None:
    env = os.environ | {"COVERAGE_FILE": str(tmp_path / "data"), "PYTHONPATH": str(settings.BASE_DIR)}

    def run(*module: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", *module]
        return subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False)

    run("coverage", "run", "-m", "governance.web.counts")
    run("coverage", "combine")
    printed = run("tests.coverage_by_room")

    assert printed.returncode == 1
    assert "Too little is covered" in printed.stderr
    assert {line.split()[0] for line in printed.stdout.splitlines()} >= {"room", "all", "governance/usage", *COMPLETE}


def test_counts_branches_and_beside_them_the_lines_that_are_not_run() -> None:
    summary = {"missing_lines": 2, "num_statements": 10, "num_branches": 4, "covered_branches": 3}

    room = Room().with_file(summary).with_file(summary)

    assert (room.files, room.lines, room.not_run, room.percent) == (2, 20, 4, 75.0)
    assert Room().percent == 100.0


def test_files_belong_to_the_room_that_must_be_complete_before_the_one_around_it() -> None:
    assert room_of("governance/detection/scoring.py") == "governance/detection/scoring.py"
    assert room_of("governance/detection/fitting.py") == "governance/detection"
    assert room_of("accounts/models.py") == "accounts"
