"""A service key works with each of its two secrets and from its networks alone, at every door, until it ends."""

import time
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from governance.audit.models import Entry
from governance.gateways.check.saved_state import StateStore
from governance.staff.models import ServiceKey
from governance.staff.secret_format import secret_digest
from governance.staff.service_keys import (
    TwoSecretsError,
    end_previous_secret,
    issue_service_key,
    replace_secret,
    revoke_service_key,
)
from stillwatch_gateway import Gateway
from tests.factories import MACHINE, account, restriction
from tests.front import Served, served
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = ("access:read", "restrictions:read")
AT_ONCE = 1.0
WEEK = timedelta(days=7)


@pytest.fixture
def front() -> Iterator[Served]:
    with served() as one:
        yield one


def issue(**terms: Any) -> tuple[ServiceKey, str]:
    return issue_service_key(name="gateway-eu", scopes=SCOPES, by=MACHINE, now=timezone.now(), **terms)


def replace(key: ServiceKey) -> str:
    secret = replace_secret(key, keep=WEEK, by=MACHINE, now=timezone.now())
    assert secret is not None
    return secret


def at_the_doors(front: Served, secret: str, **forwarded: str) -> tuple[int, int]:
    """What the check answers, and the API."""
    asked = front.ask("/access/check?account=acct_1", key=secret, **forwarded)
    sent = {f"HTTP_{name.upper()}": value for name, value in forwarded.items()}
    api = Client().get("/api/v1/restrictions", HTTP_AUTHORIZATION=f"Bearer {secret}", **sent)  # type: ignore[arg-type]
    return asked.status, api.status_code


class TestASecretThatIsReplaced:
    def test_works_beside_the_new_one_and_both_are_one_gateway(self, front: Served) -> None:
        key, first = issue()

        second = replace(key)

        assert [at_the_doors(front, secret) for secret in (first, second)] == [(200, 200), (200, 200)]
        front.front.telemetry.flush()
        key.refresh_from_db()
        assert key.gateway.asked_at is not None

    def test_is_refused_at_once_by_check_api_and_open_stream_when_it_is_ended(self, front: Served) -> None:
        key, first = issue()
        second = replace(key)
        caller = HTTPConnection("127.0.0.1", front.port, timeout=PATIENCE)
        caller.request(
            "GET",
            "/api/v1/access/changes?after=0",
            headers={"Authorization": f"Bearer {first}", "Accept": "text/event-stream"},
        )
        stream = caller.getresponse()
        assert at_the_doors(front, first) == (200, 200)

        end_previous_secret(key, by=MACHINE, now=timezone.now())
        began = time.monotonic()
        wait_until(lambda: at_the_doors(front, first) == (401, 401), "the ended secret is refused")
        rest = stream.read()
        took = time.monotonic() - began

        assert b"event: changes" not in rest  # the stream has ended
        assert took < AT_ONCE
        assert at_the_doors(front, second) == (200, 200)
        caller.close()

    def test_ends_by_itself(self, front: Served) -> None:
        key, first = issue()
        replace(key)
        ServiceKey.objects.filter(pk=key.pk).update(previous_until=timezone.now() - timedelta(seconds=1))

        wait_until(lambda: at_the_doors(front, first) == (401, 401), "the secret has ended")

    def test_is_revoked_with_the_new_one(self, front: Served) -> None:
        key, first = issue()
        second = replace(key)
        at_the_doors(front, first)

        revoke_service_key(key, by=MACHINE, now=timezone.now())

        for secret in (first, second):
            wait_until(lambda secret=secret: at_the_doors(front, secret) == (401, 401), "it is refused")  # type: ignore[misc]

    def test_makes_no_third_one_possible_while_it_works(self) -> None:
        key, _ = issue()
        replace(key)

        with pytest.raises(TwoSecretsError, match="still works"):
            replace(key)
        end_previous_secret(key, by=MACHINE, now=timezone.now())
        assert replace(key)
        verbs = Entry.objects.filter(verb__startswith="service_key.secret").values_list("verb", flat=True)
        assert sorted(verbs) == ["service_key.secret_ended", *["service_key.secret_replaced"] * 2]

    def test_leaves_a_gateways_client_at_work_with_either(self, front: Served, tmp_path: Path) -> None:
        key, first = issue()
        secrets = {"a": first, "b": replace(key)}
        clients = [Gateway(front.url, secret, tmp_path / name, instance=name) for name, secret in secrets.items()]
        for client in clients:
            client.start(PATIENCE)

        restriction(account("acct_harbour"), at=timezone.now())

        for client in clients:
            wait_until(lambda client=client: not client.decide(account="acct_harbour").allowed, "it refuses")  # type: ignore[misc]
            client.close()


class TestWhatIsStored:
    def test_neither_opens_anything_nor_signs_the_feed(self, front: Served) -> None:
        key, secret = issue()

        stored = bytes(ServiceKey.objects.get(pk=key.pk).digest)

        assert stored != secret_digest(secret)
        assert key.pepper != ""
        assert at_the_doors(front, stored.hex()) == (401, 401)

    def test_under_an_older_pepper_works_until_that_is_removed(self) -> None:
        _, secret = issue()
        newer = ["n" * 43, *settings.SERVICE_KEY_PEPPERS]

        with override_settings(SERVICE_KEY_PEPPERS=newer), served() as front:
            assert at_the_doors(front, secret) == (200, 200)
        with override_settings(SERVICE_KEY_PEPPERS=newer[:1]), served() as front:
            assert at_the_doors(front, secret) == (401, 401)

    def test_by_a_release_without_peppers_works_on(self, front: Served) -> None:
        with override_settings(SERVICE_KEY_PEPPERS=[]):
            _, secret = issue()

        assert at_the_doors(front, secret) == (200, 200)


class TestAKeyOfSomeNetworks:
    @pytest.mark.parametrize(
        ("networks", "expected"),
        [(["127.0.0.0/8"], (200, 200)), (["127.0.0.1", "::1"], (200, 200)), (["203.0.113.0/24"], (401, 401))],
    )
    def test_is_refused_from_elsewhere(self, front: Served, networks: list[str], expected: tuple[int, int]) -> None:
        _, secret = issue(networks=networks)

        assert at_the_doors(front, secret) == expected

    @pytest.mark.parametrize(
        ("forwarded", "expected"),
        [
            ("203.0.113.7", (200, 200)),
            ("198.51.100.1, 203.0.113.7", (200, 200)),
            ("203.0.113.7, 198.51.100.1", (401, 401)),
            ("::ffff:203.0.113.7", (200, 200)),
            ("", (401, 401)),
            ("nonsense", (401, 401)),
        ],
    )
    def test_is_known_behind_a_proxy_by_the_address_that_the_proxy_saw(
        self, front: Served, forwarded: str, expected: tuple[int, int]
    ) -> None:
        _, secret = issue(networks=["203.0.113.0/24"])

        with override_settings(PROXIES=1):
            assert at_the_doors(front, secret, x_forwarded_for=forwarded) == expected

    @pytest.mark.parametrize("network", ["", "everywhere", "203.0.113.0/33", "203.0.113.7:443"])
    def test_needs_networks_that_are_some(self, network: str) -> None:
        with pytest.raises(ValueError, match="is no address or network"):
            issue(networks=[network])


def saved_networks(folder: Path) -> dict[str, list[str]]:
    """Of each key that a process of the check has saved, by name."""
    keys = StateStore(folder, settings.SECRET_KEY)._load_keys() or {}
    return {key.name: list(map(str, key.networks)) for key in keys.values()}


def test_a_key_outlives_an_outage_with_its_networks(tmp_path: Path) -> None:
    expected = {"litellm": [], "gateway-eu": ["203.0.113.0/24"]}
    _, secret = issue(networks=["203.0.113.0/24"])
    with served(store=StateStore(tmp_path, settings.SECRET_KEY)) as front:
        assert at_the_doors(front, secret)[0] == 401
        wait_until(lambda: saved_networks(tmp_path) == expected, "the keys are saved")
