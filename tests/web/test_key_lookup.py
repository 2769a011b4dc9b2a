"""Questions about a service key wait for the database for a while, and not for ever."""

import asyncio

import pytest
from django.db import connection, transaction
from django.utils import timezone

from governance.staff.models import ServiceKey
from governance.staff.service_keys import issue_service_key, revoke_service_key
from governance.web import key_lookup
from governance.web.key_lookup import NoAnswerInTimeError, UsableKeys
from tests.factories import MACHINE
from tests.flows.test_slow_bodies import EMPTY, EVENTS, asked
from tests.flows.web_server import running_web_server
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


def lock_service_keys() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'LOCK TABLE "{ServiceKey._meta.db_table}" IN ACCESS EXCLUSIVE MODE')


def test_nobody_waits_longer_and_not_too_many_wait() -> None:
    secret = issue_service_key(name="edge", scopes=["usage:write"], by=MACHINE, now=timezone.now())[1]
    keys = UsableKeys(threads=1, most_waiting=2, seconds=0.2)

    async def ask() -> list[object]:
        waiting = [asyncio.create_task(keys.is_usable(f"swk_{number}")) for number in range(3)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    with transaction.atomic():
        lock_service_keys()
        said = asyncio.run(ask())
    patient = UsableKeys(threads=1, seconds=PATIENCE)

    assert [type(one) for one in said] == [NoAnswerInTimeError] * 3
    assert "Too many" in str(said[2])
    assert asyncio.run(patient.is_usable(secret))
    assert not asyncio.run(patient.is_usable("swk_unknown"))


def test_a_process_remembers_only_so_many_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are shown: then each is looked up again, so that one revoked since is refused at once."""
    monkeypatch.setattr(key_lookup, "_MOST_REMEMBERED", 1)
    edge, secret = issue_service_key(name="edge", scopes=["usage:write"], by=MACHINE, now=timezone.now())
    other = issue_service_key(name="other", scopes=["usage:write"], by=MACHINE, now=timezone.now())[1]
    keys = UsableKeys(threads=1, seconds=PATIENCE)
    assert asyncio.run(keys.is_usable(secret))
    revoke_service_key(edge, by=MACHINE, now=timezone.now())
    remembered = asyncio.run(keys.is_usable(secret))
    assert asyncio.run(keys.is_usable(other))

    looked_up = asyncio.run(keys.is_usable(secret))

    assert (remembered, looked_up) == (True, False)


@pytest.mark.long
def test_a_body_with_an_unknown_key_is_refused_while_the_database_hangs() -> None:
    with running_web_server(DATABASE_TIMEOUTS_WEB="lock_timeout=60s") as web, transaction.atomic():
        lock_service_keys()
        statuses = {asked(web, "POST", EVENTS, f"swk_{number}", EMPTY) for number in range(2)}

    assert statuses == {503}
