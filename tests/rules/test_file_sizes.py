"""No file of Python is too long to be read at once, whether it is of the product or a test."""

from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

ROOT: Final = Path(settings.BASE_DIR)
MOST_LINES: Final = 300
# Django generates most of what is in the one; the other is made of what is beside it.
NOT_WRITTEN: Final = {"migrations", "build"}


def written(folder: str) -> list[Path]:
    return [path for path in (ROOT / folder).rglob("*.py") if not NOT_WRITTEN & set(path.parts[len(ROOT.parts) :])]


@pytest.mark.parametrize("folder", ["accounts", "governance", "stillwatch_gateway", "tests"])
def test_a_file_has_at_most_300_lines(folder: str) -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in written(folder)}

    assert lines
    assert {path: number for path, number in lines.items() if number > MOST_LINES} == {}
