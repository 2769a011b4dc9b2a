import pytest
from django.test import Client
from time_machine import TimeMachineFixture

from governance.staff.roles import Role
from tests.factories import NOW, person
from tests.review.pages import signed_in


@pytest.fixture
def _at_now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def jonas(db: None) -> Client:
    """The browser of a lead."""
    return signed_in(person("Jonas Lindqvist", role=Role.LEAD))
