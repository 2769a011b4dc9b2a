"""Fixtures of this folder."""

import pytest
from django.test import Client
from time_machine import TimeMachineFixture

from governance.review.models import Case
from tests.factories import NOW, account, case, person
from tests.review.pages import signed_in


@pytest.fixture
def harbour() -> Case:
    return case(account("acct_harbour"))


@pytest.fixture
def mira() -> Client:
    return signed_in(person("Mira Okafor"))


@pytest.fixture
def jonas() -> Client:
    return signed_in(person("Jonas Lindqvist"))


@pytest.fixture
def _at_now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)
