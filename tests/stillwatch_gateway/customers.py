"""Customers, some of them restricted, and a client that has received that."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, Organisation
from governance.restrictions.models import Restriction
from stillwatch_gateway import Gateway
from tests.factories import account, api_key, restriction
from tests.front import Served, served

Kind = Restriction.Kind


def organisation_of(one: Account) -> Organisation:
    assert one.organisation is not None
    return one.organisation


def customer(*secrets: str, organisation: str | None = None, **terms: Any) -> Account:
    """Somebody whose keys are registered by their digests; restricted where there are terms."""
    owner = account(organisation=organisation)
    for secret in secrets:
        key = api_key(owner)
        key.digest = hashlib.sha256(secret.encode()).digest()
        key.save()
    if terms:
        restriction(owner, at=timezone.now(), **terms)
    return owner


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    customer("sk-good")
    customer("sk-blocked", kind=Kind.BLOCK)
    customer("sk,comma", kind=Kind.BLOCK)
    customer("sk-slow", "sk-slow-too", kind=Kind.THROTTLE, requests_per_minute=2)
    quay = [
        customer(f"sk-quay-{n}", organisation="org_quay", kind=Kind.THROTTLE, requests_per_minute=n) for n in (1, 2)
    ]
    restriction(organisation_of(quay[0]), Kind.WITHHOLD, at=timezone.now(), withheld=["logprobs"])
    mole = [customer(f"sk-mole-{n}", organisation="org_mole") for n in (1, 2)]
    account("acct_mole", organisation="org_mole")
    restriction(organisation_of(mole[0]), Kind.THROTTLE, at=timezone.now(), requests_per_minute=2)
    restriction(mole[0], Kind.THROTTLE, at=timezone.now(), requests_per_minute=5)
    with served() as one:
        yield one


@pytest.fixture
def gateway(front: Served, tmp_path: Path) -> Iterator[Gateway]:
    one = Gateway(front.url, front.secret, tmp_path)
    assert one.start()
    yield one
    one.close()
