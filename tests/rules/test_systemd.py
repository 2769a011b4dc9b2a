"""The units in docs/systemd, as systemd itself reads them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

UNITS = sorted((settings.BASE_DIR / "docs" / "systemd").glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")


def test_there_is_one_for_each_process() -> None:
    assert [unit.stem for unit in UNITS] == [
        f"stillwatch-{name}" for name in ("check", "courier", "scheduler", "web", "worker")
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
class TestAUnit:
    @pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
    def test_is_taken_by_systemd(self, unit: Path, tmp_path: Path) -> None:
        there = tmp_path / unit.name
        there.write_text(unit.read_text().replace("/srv/stillwatch", str(settings.BASE_DIR)))

        checked = subprocess.run(
            [str(ANALYZE), "verify", "--man=no", there], capture_output=True, text=True, check=False
        )

        assert (checked.returncode, [line for line in checked.stderr.splitlines() if unit.name in line]) == (0, [])

    def test_is_started_again_for_ever(self, unit: Path) -> None:
        text = unit.read_text()

        assert re.search(r"^Restart=always$", text, re.MULTILINE)
        assert re.search(r"^StartLimitIntervalSec=0$", text, re.MULTILINE)
