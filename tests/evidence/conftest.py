"""What the tests of bundles have in common."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from governance.review.models import Case
from governance.staff.roles import Role
from tests.factories import account, case, person
from tests.review.pages import signed_in


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.EVIDENCE_FOLDER = tmp_path / "evidence"


@pytest.fixture
def harbour() -> Case:
    return case(account("acct_harbour"))


@pytest.fixture
def ines() -> Client:
    """The browser of an auditor."""
    return signed_in(person("Ines Varga", role=Role.AUDITOR))
