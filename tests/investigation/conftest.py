import pytest
from django.test import Client
from time_machine import TimeMachineFixture

from governance.staff.models import User
from tests.factories import NOW, person
from tests.review.pages import signed_in


@pytest.fixture
def _at_now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def mira() -> User:
    return person("Mira Okafor")


@pytest.fixture
def client(mira: User) -> Client:
    """A reviewer's."""
    return signed_in(mira)
