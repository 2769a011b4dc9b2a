"""What tests of the log share."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(settings: Any) -> Path:
    """Where the log of this test is published."""
    return Path(settings.AUDIT_FOLDER)
