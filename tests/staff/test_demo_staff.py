"""Staff for a first look: made once, with passwords that the next start can show again, and never beside others."""

import json
from pathlib import Path

import pytest

from governance.staff.actions import DemoSignIn, ensure_demo_staff
from governance.staff.models import User
from tests.factories import MACHINE, NOW, person

pytestmark = pytest.mark.django_db


def ensured(folder: Path) -> list[DemoSignIn]:
    return ensure_demo_staff(folder / "demo-staff.json", by=MACHINE, now=NOW)


def test_the_same_sign_ins_are_shown_at_each_start(tmp_path: Path) -> None:
    first, again = ensured(tmp_path), ensured(tmp_path)

    assert first == again
    assert [User.objects.get(email=one.email).check_password(one.password) for one in first] == [True] * 3
    assert json.loads((tmp_path / "demo-staff.json").read_text()) == {one.email: one.password for one in first}


def test_an_empty_database_gets_them_with_the_passwords_that_are_kept(tmp_path: Path) -> None:
    first = ensured(tmp_path)
    User.objects.all().delete()

    assert ensured(tmp_path) == first
    assert User.objects.count() == 3


def test_nobody_is_added_to_the_staff_of_somebody_else(tmp_path: Path) -> None:
    person()

    assert ensured(tmp_path) == []
    assert User.objects.count() == 1
    assert not (tmp_path / "demo-staff.json").exists()
